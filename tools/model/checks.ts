/** One run of the model checker: a file of core/consensus/simplex/model under bounds, as the rules are, or with a planted fault. */
export type Check = {
  /** File name without `.pml`. */
  readonly model: string;
  /** What is broken on purpose; undefined: the rules as they are. */
  readonly planted: string | undefined;
  /** What it covers, as the table shows it. */
  readonly bounds: string;
  /** Preprocessor names, with values where they have one. */
  readonly defines: readonly string[];
  /** The long ones are left out of `--quick`. */
  readonly onlyFull: boolean;
};

const RULES: readonly Omit<Check, "planted">[] = [
  {
    model: "agreement",
    bounds: "2 views, every interleaving",
    defines: ["VIEWS=2"],
    onlyFull: false,
  },
  {
    model: "agreement",
    bounds: "4 views, view by view",
    defines: ["VIEWS=4", "VIEW_BY_VIEW"],
    onlyFull: false,
  },
  {
    model: "agreement",
    bounds: "5 views, view by view",
    defines: ["VIEWS=5", "VIEW_BY_VIEW"],
    onlyFull: true,
  },
  { model: "recovery", bounds: "1 view, 3 crashes", defines: ["VIEWS=1", "CRASHES=3"], onlyFull: false },
  { model: "recovery", bounds: "2 views, 2 crashes", defines: ["VIEWS=2", "CRASHES=2"], onlyFull: true },
  {
    model: "lost-log",
    bounds: "3 views, 2 losses, 1 restart",
    defines: ["VIEWS=3", "LOSSES=2", "RESTARTS=1"],
    onlyFull: false,
  },
  {
    model: "lost-log",
    bounds: "4 views, 2 losses, 1 restart",
    defines: ["VIEWS=4", "LOSSES=2", "RESTARTS=1"],
    onlyFull: true,
  },
  {
    model: "lost-log",
    bounds: "3 views, 3 losses, 2 restarts",
    defines: ["VIEWS=3", "LOSSES=3", "RESTARTS=2"],
    onlyFull: true,
  },
  {
    model: "lost-epochs",
    bounds: "6 epochs, 3 losses of the log, store kept",
    defines: [],
    onlyFull: false,
  },
  {
    model: "lost-epochs",
    bounds: "6 epochs, 3 losses, store kept; loss forgotten after the epoch after",
    defines: ["FORGOTTEN_AFTER_NEXT"],
    onlyFull: false,
  },
  {
    model: "lost-epochs",
    bounds: "6 epochs, 3 losses, store too; epoch beside the keys",
    defines: ["STORE_MAY_BE_LOST", "EPOCH_BESIDE_KEYS"],
    onlyFull: false,
  },
  { model: "executed", bounds: "3 crashes, 2 losses", defines: ["CRASHES=3", "LOSSES=2"], onlyFull: false },
  { model: "executed", bounds: "4 crashes, 3 losses", defines: ["CRASHES=4", "LOSSES=3"], onlyFull: true },
  { model: "epochs", bounds: "2 epochs of 3 views", defines: ["VIEWS=3"], onlyFull: false },
  { model: "epochs", bounds: "2 epochs of 4 views", defines: ["VIEWS=4"], onlyFull: true },
];

/** Each must have a counterexample: that shows that the model above it can fail. */
const PLANTED: readonly Omit<Check, "onlyFull">[] = [
  {
    model: "agreement",
    planted: "two Notarizes in a view",
    bounds: "2 views",
    defines: ["VIEWS=2", "PLANT_TWO_NOTARIZES"],
  },
  {
    model: "agreement",
    planted: "Nullify after Finalize",
    bounds: "2 views",
    defines: ["VIEWS=2", "PLANT_NULLIFY_AFTER_FINALIZE"],
  },
  {
    model: "agreement",
    planted: "Finalize after Nullify",
    bounds: "2 views",
    defines: ["VIEWS=2", "PLANT_FINALIZE_AFTER_NULLIFY"],
  },
  {
    model: "agreement",
    planted: "views between not checked",
    bounds: "3 views, view by view",
    defines: ["VIEWS=3", "VIEW_BY_VIEW", "PLANT_UNCHECKED_GAP"],
  },
  {
    model: "recovery",
    planted: "sent before synced",
    bounds: "2 views",
    defines: ["VIEWS=2", "PLANT_SEND_BEFORE_SYNC"],
  },
  {
    model: "recovery",
    planted: "own Nullify forgotten",
    bounds: "2 views",
    defines: ["VIEWS=2", "PLANT_FORGET_NULLIFY"],
  },
  {
    model: "recovery",
    planted: "own Notarize forgotten",
    bounds: "2 views",
    defines: ["VIEWS=2", "PLANT_FORGET_NOTARIZE"],
  },
  {
    model: "lost-log",
    planted: "no abstaining",
    bounds: "3 views",
    defines: ["VIEWS=3", "PLANT_NO_ABSTAINING"],
  },
  {
    model: "lost-log",
    planted: "abstains through the maximum, not one more",
    bounds: "3 views",
    defines: ["VIEWS=3", "PLANT_ABSTAIN_THROUGH_MAXIMUM"],
  },
  {
    model: "lost-log",
    planted: "who asks answers too",
    bounds: "3 views",
    defines: ["VIEWS=3", "PLANT_ANYBODY_ANSWERS"],
  },
  {
    model: "lost-log",
    planted: "who still abstains answers",
    bounds: "3 views",
    defines: ["VIEWS=3", "PLANT_ANSWER_WHILE_ABSTAINING"],
  },
  {
    model: "lost-log",
    planted: "abstention forgotten by a restart",
    bounds: "3 views",
    defines: ["VIEWS=3", "PLANT_FORGET_ABSTENTION"],
  },
  {
    model: "lost-log",
    planted: "reports of an earlier run taken",
    bounds: "3 views",
    defines: ["VIEWS=3", "PLANT_REPORTS_OF_AN_EARLIER_RUN"],
  },
  {
    model: "lost-epochs",
    planted: "asks in one epoch only",
    bounds: "6 epochs",
    defines: ["PLANT_ASK_ONCE"],
  },
  {
    model: "lost-epochs",
    planted: "forgets the loss at a vote of a later epoch",
    bounds: "6 epochs",
    defines: ["PLANT_WHOLE_AFTER_LATER_VOTE"],
  },
  {
    model: "lost-epochs",
    planted: "store lost too, no epoch beside the keys",
    bounds: "6 epochs",
    defines: ["STORE_MAY_BE_LOST"],
  },
  {
    model: "executed",
    planted: "signs again without store and record",
    bounds: "3 crashes",
    defines: [
      "CRASHES=3",
      "LOSSES=0",
      "CERTIFICATES_ONLY",
      "PLANT_SIGN_BEFORE_STORING",
      "PLANT_FORGET_RECORD",
    ],
  },
  {
    model: "executed",
    planted: "sent before stored and synced",
    bounds: "3 crashes",
    defines: [
      "CRASHES=3",
      "LOSSES=0",
      "CERTIFICATES_ONLY",
      "PLANT_SIGN_BEFORE_STORING",
      "PLANT_SEND_BEFORE_SYNC",
    ],
  },
  {
    model: "executed",
    planted: "log and store lost, execution not deterministic",
    bounds: "1 crash, 2 losses",
    defines: ["CRASHES=1", "LOSSES=2", "CERTIFICATES_ONLY", "PLANT_LOSE_BOTH"],
  },
  {
    model: "epochs",
    planted: "weights across epochs",
    bounds: "3 views",
    defines: ["VIEWS=3", "PLANT_WEIGHTS_ACROSS_EPOCHS"],
  },
  {
    model: "epochs",
    planted: "certificate of another epoch",
    bounds: "3 views",
    defines: ["VIEWS=3", "PLANT_CERTIFICATE_OF_ANOTHER_EPOCH"],
  },
  {
    model: "epochs",
    planted: "begins before B is final",
    bounds: "3 views",
    defines: ["VIEWS=3", "PLANT_BEGIN_BEFORE_FINAL"],
  },
  {
    model: "epochs",
    planted: "B without a state certificate",
    bounds: "3 views",
    defines: ["VIEWS=3", "PLANT_NO_STATE_CERTIFICATE"],
  },
];

/** All runs, the rules first. */
export const CHECKS: readonly Check[] = [
  ...RULES.map((check) => ({ ...check, planted: undefined })),
  ...PLANTED.map((check) => ({ ...check, onlyFull: false })),
];
