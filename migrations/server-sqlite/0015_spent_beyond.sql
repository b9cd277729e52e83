-- Payments without the server of late, of one terminal: what it took beyond its leases is counted.
CREATE INDEX operation_spent ON operation (tenant_id, device_id, decided_ms) WHERE kind = 9;
