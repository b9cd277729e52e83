//! The engine and the gateways' own protocols: each account through the server, the simulated
//! gateway behind it.

mod cases;
mod codes;
mod desk;
mod hints;
mod qr;
mod surplus;
