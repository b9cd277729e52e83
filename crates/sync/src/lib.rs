//! Operations up, changes down: a sans-IO engine and its transports.
