//! What a request says, read so that nothing in it is passed over: a member or a parameter that is
//! not known is refused.
//!
//! | file | what is in it |
//! |---|---|
//! | [`params`] | query parameters |
//! | [`input`] | bodies, and names in paths |
//! | [`page`] | which part of a list, and the list in parts |
//! | `statuses` | the states of deliveries by the names that they are asked for |
//! | `names` | which endpoints and policies there are, for whoever names another |

pub mod input;
pub(super) mod names;
pub mod page;
pub mod params;
pub(super) mod statuses;
