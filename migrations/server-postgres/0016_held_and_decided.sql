-- What was held and is decided after all stands in the log a second time, at the same place of its device.
DROP INDEX operation_by_device;
CREATE UNIQUE INDEX operation_by_device ON operation (tenant_id, device_id, epoch, device_seq, standing)
    WHERE standing <> 'quarantined';
