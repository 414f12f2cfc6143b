CREATE TABLE internal_calls (
  position bigint NOT NULL,
  -- In the order of the calls' beginnings, from 0; the transaction's own call is not here.
  ordinal integer NOT NULL,
  path text NOT NULL,
  type text NOT NULL,
  sender bytea NOT NULL,
  recipient bytea,
  value numeric(78) NOT NULL,
  gas_used bigint NOT NULL,
  selector bytea,
  error text,
  PRIMARY KEY (position, ordinal)
);
CREATE INDEX internal_calls_by_sender ON internal_calls (sender, position, ordinal);
CREATE INDEX internal_calls_by_recipient ON internal_calls (recipient, position, ordinal);
