-- References of payments that staff record, in the orders as the server told them.
CREATE INDEX replica_order_by_reference ON replica_order (json_extract(json, '$.paid.channel_txn_no'))
    WHERE json_extract(json, '$.paid.channel') IN ('card', 'transfer');
