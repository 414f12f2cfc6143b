import { Epoch, Height, View } from "@ostrom/base";
import { type Message, type OrderedBlock, ValidatorIndex } from "../index.ts";
import {
  blockAt,
  DrivenNode,
  digestOf,
  leader,
  signedBy,
  stateCertificateOf,
  TEST_CONFIG,
  voteFor,
} from "../testing/driven-node.ts";

/** An epoch of two blocks. */
export const BOUNDS: { readonly lastHeight: Height } = { lastHeight: Height(2) };

/** Consecutive views that validator 0 does not lead, so that what it does is answer others. */
export function viewsNotLed(count: number): readonly number[] {
  const views: number[] = [];
  for (let view = 1; views.length < count; view++) if (leader(view) !== 0) views.push(view);
  return views;
}

export function child(view: number, parent: OrderedBlock, change: Partial<OrderedBlock> = {}): OrderedBlock {
  return blockAt(view, parent, change);
}

export function sealOn(view: number, parent: OrderedBlock, change: Partial<OrderedBlock> = {}): OrderedBlock {
  return child(view, parent, { timestampMs: parent.timestampMs + 1, ...change });
}

/** Comes to `view` with the views between nullified. */
export function skipTo(node: DrivenNode, view: number): void {
  while (node.view < view) node.receiveCertificate("nullification", node.view);
}

/** A node whose first block is final and certified, in the view after it. */
export function afterFirst(): {
  readonly node: DrivenNode;
  readonly first: OrderedBlock;
  readonly view: number;
} {
  const [firstView, view] = viewsNotLed(2) as [number, number];
  const node = new DrivenNode(BOUNDS);
  skipTo(node, firstView);
  const first = blockAt(firstView);
  node.propose(first);
  node.receiveCertificate("finalization", firstView, digestOf(first));
  skipTo(node, view);
  node.effects = [];
  return { node, first, view };
}

export const certifiedFirst = (first: OrderedBlock): ReturnType<typeof stateCertificateOf> =>
  stateCertificateOf(1, digestOf(first));

/** The same, with the last block notarized, and the next view entered. */
export function afterLast(): {
  readonly node: DrivenNode;
  readonly last: OrderedBlock;
  readonly view: number;
} {
  const { node, first, view } = afterFirst();
  const last = child(view, first, { stateCertificate: certifiedFirst(first) });
  node.propose(last);
  node.receiveCertificate("notarization", view, digestOf(last));
  return { node, last, view };
}

/** A node at the beginning of epoch 1, whose set the state after block 1 has named, and epoch 0's last block. */
export function inNextEpoch(): {
  readonly node: DrivenNode;
  readonly last: OrderedBlock;
  readonly first: OrderedBlock;
} {
  const { node: before, first, view } = afterFirst();
  const last = child(view, first);
  before.propose(last);
  before.receiveCertificate("finalization", view, digestOf(last));
  const { tip } = before.take("epochEnded")[0]!;
  const node = new DrivenNode(
    {
      validators: { ...TEST_CONFIG.validators, epoch: Epoch(1) },
      earlierValidators: [TEST_CONFIG.validators],
      leastCertified: Height(1),
      lastHeight: Height(4),
      // Another one than the leader of its first view.
      own: ValidatorIndex(1),
    },
    tip,
  );
  return { node, last, first };
}

/** The first block of epoch 1, as its leader signs it. */
export function firstOfNext(node: DrivenNode, last: OrderedBlock, change: Partial<OrderedBlock>): Message {
  const { config } = node.state;
  const proposer = leader(1, config);
  const block = child(1, last, { epoch: Epoch(1), parentView: View(0), proposer, ...change });
  const vote = { ...voteFor("notarize", 1, digestOf(block)), epoch: Epoch(1) };
  return { kind: "proposal", block, signature: signedBy(proposer, vote, config).signature };
}
