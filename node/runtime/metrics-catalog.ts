import { type LabelledMetric, type Metric, MetricCatalog } from "./metrics-definition.ts";
import {
  CHANNELS,
  DOWN_REASONS,
  FAULT_CODES,
  POOL_DROPS,
  PUNISHED,
  READY_CONDITIONS,
  REFUSAL_CODES,
  RPC_CODES,
  SKIP_CODES,
} from "./metrics-labels.ts";

/** Seconds: from what a cached disk takes to what alarms. */
const SYNC_BOUNDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5];
const BLOCK_BOUNDS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60];
const REQUEST_BOUNDS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];

/** All metrics of a node. `docs/metrics.md` says what each means; a test compares that page with this list. */
export const CATALOG: MetricCatalog = new MetricCatalog();

export const CHAIN: Readonly<
  Record<
    | "head"
    | "certified"
    | "finalized"
    | "heard"
    | "epoch"
    | "blocks"
    | "unwound"
    | "transactions"
    | "gas"
    | "interval"
    | "lastBlock"
    | "sinceLastBlock",
    Metric
  >
> &
  Readonly<Record<"skipped", LabelledMetric>> = {
  head: CATALOG.gauge("ostrom_chain_head_height", "Newest executed block"),
  certified: CATALOG.gauge("ostrom_chain_certified_height", "Newest block with a state certificate"),
  finalized: CATALOG.gauge("ostrom_chain_finalized_height", "Newest block whose place is final"),
  heard: CATALOG.gauge("ostrom_chain_heard_height", "Highest block that others are believed to have"),
  epoch: CATALOG.gauge("ostrom_chain_epoch", "Epoch of the validator set that orders now"),
  blocks: CATALOG.counter("ostrom_chain_blocks_total", "Blocks executed since the start"),
  unwound: CATALOG.counter("ostrom_chain_unwound_blocks_total", "Blocks taken off again"),
  transactions: CATALOG.counter("ostrom_chain_transactions_total", "Transactions in executed blocks"),
  gas: CATALOG.counter("ostrom_chain_gas_used_total", "Gas used by executed blocks"),
  skipped: CATALOG.counters(
    "ostrom_chain_transactions_skipped_total",
    "Ordered transactions that could not run at their turn",
    "reason",
    SKIP_CODES,
  ),
  interval: CATALOG.histogram(
    "ostrom_chain_block_interval_seconds",
    "Time between two executed blocks",
    BLOCK_BOUNDS,
  ),
  lastBlock: CATALOG.gauge(
    "ostrom_chain_last_block_timestamp_seconds",
    "When the newest block was executed here, in seconds since 1970",
  ),
  sinceLastBlock: CATALOG.computed(
    "ostrom_chain_seconds_since_last_block",
    "gauge",
    "Time since a block was executed here, or since the start",
  ),
};

export const CONSENSUS: Readonly<Record<"isValidator" | "view" | "led" | "missed", Metric>> &
  Readonly<Record<"views" | "votes" | "timeouts" | "certificates" | "faults", LabelledMetric>> = {
  isValidator: CATALOG.gauge("ostrom_consensus_is_validator", "1 if this node votes in the present epoch"),
  view: CATALOG.gauge("ostrom_consensus_view", "View of the present epoch that the node is in"),
  views: CATALOG.counters("ostrom_consensus_views_total", "Views left, by what ended them", "outcome", [
    "notarized",
    "nullified",
    "finalized",
  ]),
  led: CATALOG.counter("ostrom_consensus_led_views_total", "Views that this node led and that are over"),
  missed: CATALOG.counter("ostrom_consensus_missed_leads_total", "Views that this node led and lost"),
  votes: CATALOG.counters("ostrom_consensus_own_votes_total", "Votes that this node signed", "kind", [
    "notarize",
    "nullify",
    "finalize",
  ]),
  timeouts: CATALOG.counters("ostrom_consensus_timeouts_total", "Timers that ran out", "timer", [
    "leader",
    "advance",
    "standstill",
    "fetch",
    "seal",
  ]),
  certificates: CATALOG.counters(
    "ostrom_consensus_certificates_total",
    "Certificates about views that were made or received",
    "kind",
    ["notarization", "nullification", "finalization"],
  ),
  faults: CATALOG.counters(
    "ostrom_consensus_faults_total",
    "Rules that others were seen to break",
    "code",
    FAULT_CODES,
  ),
};

export const CERTIFICATION: Readonly<Record<"certificates" | "delay", Metric>> = {
  certificates: CATALOG.counter("ostrom_certification_certificates_total", "State certificates that came"),
  delay: CATALOG.histogram(
    "ostrom_certification_delay_seconds",
    "Time from a block's execution here to its state certificate",
    BLOCK_BOUNDS,
  ),
};

export const POOL: Readonly<Record<"admitted", Metric>> &
  Readonly<Record<"transactions" | "refused" | "dropped", LabelledMetric>> = {
  transactions: CATALOG.gauges("ostrom_pool_transactions", "Transactions in the pool", "state", [
    "pending",
    "queued",
  ]),
  admitted: CATALOG.counter("ostrom_pool_admitted_total", "Transactions that entered the pool"),
  refused: CATALOG.counters(
    "ostrom_pool_refused_total",
    "Transactions of clients and peers that did not enter the pool",
    "code",
    REFUSAL_CODES,
  ),
  dropped: CATALOG.counters(
    "ostrom_pool_dropped_total",
    "Transactions that left the pool without being mined",
    "reason",
    [...POOL_DROPS, ...SKIP_CODES],
  ),
};

export const SIGNATURES: Readonly<Record<"seconds", Metric>> &
  Readonly<Record<"checked" | "invalid", LabelledMetric>> = {
  checked: CATALOG.counters("ostrom_signatures_checked_total", "Signatures checked by workers", "kind", [
    "transaction",
    "believed",
    "statement",
  ]),
  invalid: CATALOG.counters("ostrom_signatures_invalid_total", "Those that were not good", "kind", [
    "transaction",
    "statement",
  ]),
  seconds: CATALOG.counter("ostrom_signatures_seconds_total", "Time that the workers spent on them"),
};

export const NETWORK: Readonly<Record<"peers" | "weight" | "up" | "queued" | "pending" | "refused", Metric>> &
  Readonly<
    Record<
      "down" | "receivedFrames" | "receivedBytes" | "sentFrames" | "sentBytes" | "unsent" | "punished",
      LabelledMetric
    >
  > = {
  peers: CATALOG.gauge("ostrom_network_peers", "Peers that are linked"),
  weight: CATALOG.gauge(
    "ostrom_network_linked_weight_ratio",
    "Share of the validators' weight that is linked, this node's own included",
  ),
  up: CATALOG.counter("ostrom_network_links_up_total", "Links that came up"),
  down: CATALOG.counters("ostrom_network_links_down_total", "Links that went down", "reason", [
    ...DOWN_REASONS,
    ...PUNISHED,
  ]),
  receivedFrames: CATALOG.counters(
    "ostrom_network_received_frames_total",
    "Frames received",
    "channel",
    CHANNELS,
  ),
  receivedBytes: CATALOG.counters(
    "ostrom_network_received_bytes_total",
    "Bytes of frames received, without the link's own",
    "channel",
    CHANNELS,
  ),
  sentFrames: CATALOG.counters(
    "ostrom_network_sent_frames_total",
    "Frames given to links",
    "channel",
    CHANNELS,
  ),
  sentBytes: CATALOG.counters(
    "ostrom_network_sent_bytes_total",
    "Bytes of frames given to links",
    "channel",
    CHANNELS,
  ),
  unsent: CATALOG.counters(
    "ostrom_network_unsent_frames_total",
    "Frames that no link took: not linked, no room, or too long",
    "channel",
    CHANNELS,
  ),
  queued: CATALOG.gauge("ostrom_network_queued_bytes", "Bytes that wait to be sent, of all peers"),
  pending: CATALOG.gauge(
    "ostrom_network_pending_connections",
    "Connections from outside whose handshake goes on",
  ),
  refused: CATALOG.gauge(
    "ostrom_network_refused_connections",
    "Connections from outside turned away since the start",
  ),
  punished: CATALOG.counters(
    "ostrom_network_punishments_total",
    "Peers banned for what they sent",
    "reason",
    PUNISHED,
  ),
};

export const RPC: Readonly<Record<"requests" | "methodSeconds" | "seconds" | "busy" | "inFlight", Metric>> &
  Readonly<Record<"errors" | "sockets", LabelledMetric>> = {
  requests: CATALOG.ofMethod("ostrom_rpc_requests_total", "Calls of JSON-RPC"),
  methodSeconds: CATALOG.ofMethod(
    "ostrom_rpc_method_seconds_total",
    "Time from a call's begin to its answer, summed",
  ),
  errors: CATALOG.counters("ostrom_rpc_errors_total", "Answers that carry an error", "code", RPC_CODES),
  seconds: CATALOG.histogram(
    "ostrom_rpc_request_seconds",
    "Time from a call's begin to its answer",
    REQUEST_BOUNDS,
  ),
  busy: CATALOG.counter("ostrom_rpc_busy_total", "Requests refused because the node was busy"),
  sockets: CATALOG.gauges("ostrom_rpc_open_sockets", "Open connections of clients", "kind", [
    "tcp",
    "websocket",
  ]),
  inFlight: CATALOG.gauge("ostrom_rpc_requests_in_flight", "Requests that are worked on or not taken yet"),
};

export const STORAGE: Readonly<Record<"batch" | "logSync" | "bytes" | "free", Metric>> = {
  batch: CATALOG.histogram(
    "ostrom_storage_synced_batch_seconds",
    "Time of one synced write to the database",
    SYNC_BOUNDS,
  ),
  logSync: CATALOG.histogram(
    "ostrom_storage_log_sync_seconds",
    "Time until the write-ahead log was durable",
    SYNC_BOUNDS,
  ),
  bytes: CATALOG.computed("ostrom_storage_bytes", "gauge", "Bytes on disk of the node's data"),
  free: CATALOG.computed("ostrom_storage_free_bytes", "gauge", "Free bytes on the disk of the node's data"),
};

export const ENGINE: Readonly<Record<"blockSeconds" | "messages" | "faults" | "compiledBytes", Metric>> &
  Readonly<Record<"frames" | "compiles", LabelledMetric>> = {
  blockSeconds: CATALOG.histogram(
    "ostrom_execution_block_seconds",
    "Time to execute and store one block",
    SYNC_BOUNDS,
  ),
  messages: CATALOG.counter("ostrom_engine_messages_total", "Messages that had code to run"),
  frames: CATALOG.counters("ostrom_engine_frames_total", "Frames of contracts, by what ran them", "tier", [
    "tier0",
    "tier1",
    "program",
    "reference",
  ]),
  faults: CATALOG.counter(
    "ostrom_engine_node_faults_total",
    "Messages run again because this machine failed",
  ),
  compiles: CATALOG.counters("ostrom_engine_compiles_total", "Codes given to the compiler", "result", [
    "requested",
    "compiled",
    "refused",
    "evicted",
  ]),
  compiledBytes: CATALOG.counter("ostrom_engine_compiled_bytes_total", "Bytes of machine modules made"),
};

export const THREAD: Readonly<
  Record<"beat" | "cpu" | "lag" | "active" | "gcSeconds" | "gcRuns" | "heap" | "handles", Metric>
> = {
  /** Kept as the age of the process when the thread last said that it lives; shown as the time since then. */
  beat: CATALOG.ofThread(
    "ostrom_thread_silent_seconds",
    "gauge",
    "Time since the thread's event loop was seen to turn",
  ),
  cpu: CATALOG.ofThread("ostrom_thread_cpu_seconds_total", "counter", "CPU time of the thread"),
  lag: CATALOG.ofThread(
    "ostrom_thread_loop_lag_seconds",
    "gauge",
    "Largest delay of a timer in the last seconds",
  ),
  active: CATALOG.ofThread(
    "ostrom_thread_loop_active_seconds_total",
    "counter",
    "Time in which the thread's event loop was not waiting",
  ),
  gcSeconds: CATALOG.ofThread("ostrom_thread_gc_seconds_total", "counter", "Time of garbage collections"),
  gcRuns: CATALOG.ofThread("ostrom_thread_gc_runs_total", "counter", "Garbage collections"),
  heap: CATALOG.ofThread("ostrom_thread_heap_bytes", "gauge", "Used bytes of the thread's JavaScript heap"),
  handles: CATALOG.ofThread(
    "ostrom_thread_open_handles",
    "gauge",
    "Sockets, timers, files and requests of the thread",
  ),
};

export const PROCESS: Readonly<
  Record<"cpu" | "resident" | "files" | "started" | "build" | "chain" | "scrapes", Metric>
> &
  Readonly<Record<"ready" | "log", LabelledMetric>> = {
  ready: CATALOG.gauges(
    "ostrom_ready",
    "1 where a condition of being ready holds",
    "condition",
    READY_CONDITIONS,
  ),
  log: CATALOG.counters("ostrom_log_lines_total", "Lines logged, by level", "level", [
    "debug",
    "info",
    "warn",
    "error",
  ]),
  cpu: CATALOG.computed("process_cpu_seconds_total", "counter", "CPU time of the process, all threads"),
  resident: CATALOG.computed("process_resident_memory_bytes", "gauge", "Resident memory of the process"),
  files: CATALOG.computed("process_open_fds", "gauge", "Open file descriptors of the process"),
  started: CATALOG.computed(
    "process_start_time_seconds",
    "gauge",
    "When the process started, in seconds since 1970",
  ),
  build: CATALOG.computed("ostrom_build_info", "gauge", "1, with the program's versions"),
  chain: CATALOG.computed("ostrom_chain_info", "gauge", "1, with the node's name and its chain"),
  scrapes: CATALOG.computed("ostrom_scrapes_total", "counter", "Times that these metrics were read"),
};
