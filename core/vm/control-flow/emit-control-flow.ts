import { assert, must } from "@ostrom/base";
import { type CodeBuilder, I32, type Label } from "@ostrom/wasm";
import type { FlowPlan } from "./flow-plan.ts";

/** How a node's code leaves the node. A successor is named by its index in the node's list. */
export type FlowExits = {
  /** Ends the node. */
  readonly jump: (successor: number) => void;
  /** Pops an i32; jumps if it is not zero. */
  readonly jumpIf: (successor: number) => void;
  /** Pops an i32 index into `successors`, or beyond it; ends the node. */
  readonly jumpTable: (successors: ArrayLike<number>, fallback: number) => void;
};

/** Emits a graph that was planned into the function that is being written; its end cannot be reached.
 * @param emitNode appends a node's code, at the operand stack's bottom. The last thing in it is `jump` or `jumpTable`, or an
 * instruction after which nothing follows (return, unreachable, br). Nodes come in the order of `plan.place`. */
export function emitControlFlow(
  code: CodeBuilder,
  plan: FlowPlan,
  emitNode: (node: number, exits: FlowExits) => void,
): void {
  new FlowEmission(code, plan, emitNode).emit();
}

/** What is still to be done; the last comes first. */
type Work = { readonly kind: "node"; readonly node: number } | { readonly kind: "end" };

class FlowEmission {
  readonly #code: CodeBuilder;
  readonly #plan: FlowPlan;
  readonly #emitNode: (node: number, exits: FlowExits) => void;
  readonly #work: Work[] = [];
  readonly #blockLabels = new Map<number, Label>();
  readonly #loopLabels = new Map<number, Label>();
  readonly #choice: number | undefined;

  constructor(code: CodeBuilder, plan: FlowPlan, emitNode: (node: number, exits: FlowExits) => void) {
    this.#code = code;
    this.#plan = plan;
    this.#emitNode = emitNode;
    this.#choice = plan.helpers.length > 0 ? code.local(I32) : undefined;
  }

  /** Work is kept on a list, not on V8's stack: graphs may be as deep as code is long. */
  emit(): void {
    this.#work.push({ kind: "node", node: this.#plan.entry });
    for (let work = this.#work.pop(); work !== undefined; work = this.#work.pop()) {
      if (work.kind === "end") this.#code.end();
      else this.#emitTree(work.node);
    }
    this.#code.unreachable();
  }

  /** A node and all that it dominates. */
  #emitTree(node: number): void {
    const { isLoop, following } = this.#plan;
    if (isLoop[node] === 1) {
      this.#loopLabels.set(node, this.#code.loop());
      this.#work.push({ kind: "end" });
    }
    const behind = following[node]!;
    for (let index = behind.length - 1; index >= 0; index--) {
      this.#blockLabels.set(behind[index]!, this.#code.block());
      this.#work.push({ kind: "node", node: behind[index]! }, { kind: "end" });
    }
    const helper = this.#plan.helpers[this.#helperIndex(node)];
    const exits = this.#exitsOf(node);
    if (helper === undefined) this.#emitNode(node, exits);
    else if (helper.kind === "choose") {
      this.#code.i32Const(helper.choice).localSet(this.#mustChoice());
      exits.jump(0);
    } else {
      this.#code.localGet(this.#mustChoice());
      const entries = this.#plan.successors[node]!.length;
      exits.jumpTable(
        Int32Array.from({ length: entries - 1 }, (_, index) => index),
        entries - 1,
      );
    }
  }

  #helperIndex(node: number): number {
    return node - (this.#plan.successors.length - this.#plan.helpers.length);
  }

  #mustChoice(): number {
    return must(this.#choice, "helpers come with a local");
  }

  #exitsOf(node: number): FlowExits {
    const { successors, isInline } = this.#plan;
    const targets = successors[node]!;
    return {
      jump: (successor) => {
        const target = targets[successor]!;
        if (isInline[target] === 1) this.#work.push({ kind: "node", node: target });
        else this.#code.br(this.#labelOf(node, target));
      },
      jumpIf: (successor) => this.#code.brIf(this.#labelOf(node, targets[successor]!)),
      jumpTable: (chosen, fallback) => {
        const labels: Label[] = [];
        for (let index = 0; index < chosen.length; index++) {
          labels.push(this.#labelOf(node, targets[chosen[index]!]!));
        }
        this.#code.brTable(labels, this.#labelOf(node, targets[fallback]!));
      },
    };
  }

  #labelOf(node: number, target: number): Label {
    const { place, isInline } = this.#plan;
    assert(isInline[target] === 0, "a node's only successor is reached by a jump");
    const labels = place[target]! <= place[node]! ? this.#loopLabels : this.#blockLabels;
    return must(labels.get(target), "a target's block is open wherever an edge leads to it");
  }
}
