-- Payments by the shop's own code are recorded with a reference as well.
DROP INDEX replica_order_by_reference;
CREATE INDEX replica_order_by_reference ON replica_order (json_extract(json, '$.paid.channel_txn_no'))
    WHERE json_extract(json, '$.paid.channel') IN ('card', 'transfer', 'shop_code');
