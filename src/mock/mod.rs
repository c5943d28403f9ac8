//! A vendor on localhost: its payloads, its signature, its schedule, sent to one receiver by a
//! broker like any other.
//!
//! In a test of a receiver, whose clock moves when the test says so:
//!
//! ```
//! use std::time::Duration;
//!
//! use redeliver::delivery::Status;
//! use redeliver::mock::Mock;
//! use serde_json::json;
//!
//! # async fn fails_once() -> std::io::Result<String> {
//! #     use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! #     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! #     let url = format!("http://{}/hook", listener.local_addr()?);
//! #     tokio::spawn(async move {
//! #         for status in ["503 Busy", "200 OK"] {
//! #             let Ok((mut stream, _)) = listener.accept().await else { return };
//! #             let mut request = [0; 4096];
//! #             let _ = stream.read(&mut request).await;
//! #             let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
//! #             let _ = stream.write_all(answer.as_bytes()).await;
//! #         }
//! #     });
//! #     Ok(url)
//! # }
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let receiver = fails_once().await?; // your receiver, which answers 503 and then 200
//!
//! let mock = Mock::hotjar(&receiver).signing_key("site-key").start().await?;
//! let event = mock.send("survey_response", &json!({ "id": 42 })).await?;
//! mock.settle().await?;
//!
//! let delivery = mock.delivery(event)?.expect("it was sent");
//! assert_eq!(delivery.status, Status::Waiting);
//! assert_eq!(delivery.attempts[0].status, Some(503));
//!
//! mock.advance(Duration::from_secs(30)).await?; // HOT-21
//! let delivery = mock.delivery(event)?.expect("it was sent");
//! assert_eq!(delivery.status, Status::Delivered);
//! assert_eq!(delivery.attempts.len(), 2);
//! mock.stop().await?;
//! # Ok(())
//! # }
//! ```
//!
//! | file | what is in it |
//! |---|---|
//! | `builder`, `running` | a mock made step by step; at work: [`Mock`] |
//! | `server`, `door`, [`registry`], [`plan`] | many mocks behind one address, each under its name |
//! | [`vendor`] | what a mock of a vendor is: options in, a configuration out; the GET on save |
//! | [`wish`] | what is to be sent: samples, how many, what is overridden. Pure |
//! | [`sampler`] | from a wish to events. Pure |
//! | `wrap` | from a payload to an event: by the profile, or byte for byte. Pure |
//! | [`trigger`], [`asked`] | `POST /v1/trigger`; reading its body |

pub mod asked;
mod builder;
mod door;
pub mod plan;
pub mod registry;
mod running;
pub mod sampler;
mod server;
pub mod trigger;
pub mod vendor;
pub mod wish;
mod wrap;

pub use builder::{BuildError, Builder};
pub use running::{Mock, MockError};
pub use server::Server;
pub use wrap::raw;
