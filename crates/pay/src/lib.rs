//! Payment gateways behind one small interface.
