//! Simulated gateways and the customer's phone.
