CREATE TABLE tokens (
  address bytea PRIMARY KEY,
  kind text NOT NULL,
  name text,
  symbol text,
  decimals smallint,
  total_supply numeric(78),
  transfer_count bigint NOT NULL,
  holder_count bigint NOT NULL,
  first_block bigint NOT NULL,
  -- What it says of itself is asked for (again).
  is_stale boolean NOT NULL
);
CREATE INDEX tokens_by_transfers ON tokens (transfer_count, address);
CREATE INDEX tokens_stale ON tokens (address) WHERE is_stale;

CREATE TABLE transfers (
  position bigint NOT NULL,
  log_index integer NOT NULL,
  -- Place in an ERC-1155 batch.
  item integer NOT NULL,
  token bytea NOT NULL,
  sender bytea NOT NULL,
  recipient bytea NOT NULL,
  -- -1: of a token without ids.
  token_id numeric(78) NOT NULL,
  amount numeric(78) NOT NULL,
  PRIMARY KEY (position, log_index, item)
);
CREATE INDEX transfers_by_token ON transfers (token, position, log_index, item);
CREATE INDEX transfers_by_sender ON transfers (sender, position, log_index, item);
CREATE INDEX transfers_by_recipient ON transfers (recipient, position, log_index, item);

-- What transfers sum up to. Id -1: all of a holder, which of an NFT is how many it has.
CREATE TABLE balances (
  token bytea NOT NULL,
  holder bytea NOT NULL,
  token_id numeric(78) NOT NULL,
  amount numeric(90) NOT NULL,
  PRIMARY KEY (token, holder, token_id)
);
CREATE INDEX balances_by_holder ON balances (holder, token, token_id) WHERE amount > 0;
CREATE INDEX balances_by_amount ON balances (token, token_id, amount, holder) WHERE amount > 0;
