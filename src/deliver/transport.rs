//! Sends one request and brings back what the receiver said.
