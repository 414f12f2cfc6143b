CREATE TABLE sources (
  address bytea PRIMARY KEY,
  qualified_name text NOT NULL,
  name text NOT NULL,
  compiler text NOT NULL,
  language text NOT NULL,
  match text NOT NULL,
  verified_at bigint NOT NULL,
  -- Of the code that was compared: a contract that was destroyed and made anew is another one.
  code_hash bytea NOT NULL,
  sources text NOT NULL,
  abi text NOT NULL,
  settings text NOT NULL,
  constructor_arguments bytea,
  libraries text NOT NULL,
  storage_layout text,
  evm_version text
);
CREATE INDEX sources_by_time ON sources (verified_at, address);
CREATE INDEX sources_by_code ON sources (code_hash);

-- Functions, errors (4 bytes) and events (32 bytes) of verified contracts.
CREATE TABLE signatures (
  selector bytea NOT NULL,
  signature text NOT NULL,
  PRIMARY KEY (selector, signature)
);
