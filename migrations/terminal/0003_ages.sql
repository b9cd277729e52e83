-- What is removed by age is aged by the server's clock, never by the terminal's, which may stand at
-- any year after a power cut. Each row's age starts with the first time that the server told after
-- the row was answered or printed; rows from before this step start with the next contact.
ALTER TABLE operation_delivery ADD COLUMN aged_from_ms INTEGER;
ALTER TABLE print_job ADD COLUMN aged_from_ms INTEGER;

CREATE INDEX operation_delivery_ageless ON operation_delivery (device_seq)
WHERE outcome IS NOT NULL AND aged_from_ms IS NULL;

CREATE INDEX print_job_ageless ON print_job (place)
WHERE state = 'printed' AND aged_from_ms IS NULL;
