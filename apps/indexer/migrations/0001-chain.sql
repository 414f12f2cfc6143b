-- A transaction's position: its block's number times 2^20, plus its index in the block. It orders all of the chain, and is what cursors hold.
-- Hashes and addresses are bytes, amounts whole numbers of up to 256 bits.

CREATE TABLE progress (
  id smallint PRIMARY KEY CHECK (id = 1),
  chain_id bigint NOT NULL,
  genesis_hash bytea NOT NULL,
  -- Of the newest block in the index; -1 before the first.
  number bigint NOT NULL,
  hash bytea,
  -- Newest block whose calls are in internal_calls; -1 before the first.
  traced bigint NOT NULL
);

CREATE TABLE blocks (
  number bigint PRIMARY KEY,
  hash bytea NOT NULL,
  parent_hash bytea NOT NULL,
  time bigint NOT NULL,
  leader bytea NOT NULL,
  transaction_count integer NOT NULL,
  failed_count integer NOT NULL,
  transfer_count integer NOT NULL,
  gas_used numeric(20) NOT NULL,
  gas_limit numeric(20) NOT NULL,
  base_fee numeric(78),
  fees numeric(78) NOT NULL,
  size bigint NOT NULL
);
CREATE INDEX blocks_by_hash ON blocks (hash);
CREATE INDEX blocks_by_leader ON blocks (leader, number);

CREATE TABLE transactions (
  position bigint PRIMARY KEY,
  hash bytea NOT NULL,
  type smallint NOT NULL,
  sender bytea NOT NULL,
  recipient bytea,
  created bytea,
  nonce bigint NOT NULL,
  value numeric(78) NOT NULL,
  succeeded boolean NOT NULL,
  gas_limit bigint NOT NULL,
  gas_used bigint NOT NULL,
  gas_price numeric(78) NOT NULL,
  log_count integer NOT NULL,
  input bytea NOT NULL
);
CREATE INDEX transactions_by_hash ON transactions (hash);

-- Which transactions concern an address. Roles are bits: 1 sends, 2 is called, 4 is created, 8 a token's transfer, 16 emits a log.
CREATE TABLE appearances (
  address bytea NOT NULL,
  position bigint NOT NULL,
  roles smallint NOT NULL,
  PRIMARY KEY (address, position)
);
CREATE INDEX appearances_by_position ON appearances (position);

CREATE TABLE logs (
  position bigint NOT NULL,
  log_index integer NOT NULL,
  address bytea NOT NULL,
  topics bytea[] NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (position, log_index)
);
CREATE INDEX logs_by_address ON logs (address, position, log_index);

CREATE TABLE contracts (
  address bytea PRIMARY KEY,
  creator bytea,
  position bigint,
  code_hash bytea
);
CREATE INDEX contracts_by_position ON contracts (position);

CREATE TABLE minutes (
  minute bigint PRIMARY KEY,
  blocks integer NOT NULL,
  transactions integer NOT NULL,
  failed integer NOT NULL,
  transfers integer NOT NULL,
  gas_used numeric(78) NOT NULL,
  fees numeric(78) NOT NULL
);

-- Two indexers over one database would count transfers twice: the second one stops here.
CREATE FUNCTION expect_tip(expected_number bigint, expected_hash bytea) RETURNS void AS $$
DECLARE tip progress%ROWTYPE;
BEGIN
  SELECT * INTO tip FROM progress WHERE id = 1 FOR UPDATE;
  IF tip.number IS DISTINCT FROM expected_number OR tip.hash IS DISTINCT FROM expected_hash THEN
    RAISE EXCEPTION 'index/tip-moved' USING ERRCODE = 'OS001';
  END IF;
END
$$ LANGUAGE plpgsql;
