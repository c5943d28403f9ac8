//! The loop that claims what is due, sends it and settles what came back.
