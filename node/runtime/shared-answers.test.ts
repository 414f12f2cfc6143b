import assert from "node:assert/strict";
import { test } from "node:test";
import { shareAnswers } from "./shared-answers.ts";
import { endOfTurn } from "./testing/manual-clock.ts";

function setUp() {
  const asked: PromiseWithResolvers<string>[] = [];
  const pauses: (() => void)[] = [];
  const share = shareAnswers(
    () => {
      asked.push(Promise.withResolvers<string>());
      return asked.at(-1)!.promise;
    },
    () => new Promise<void>((resolve) => pauses.push(resolve)),
  );
  return { asked, pauses, share };
}

test("whoever asks while a question is under way waits for the next answer, all together", async () => {
  const { asked, pauses, share } = setUp();
  const first = share();
  await endOfTurn();
  const [second, third] = [share(), share()];
  await endOfTurn();
  assert.equal(asked.length, 1, "an answer is never older than its question");
  asked[0]!.resolve("old");
  assert.equal(await first, "old");
  await endOfTurn();
  assert.equal(asked.length, 1, "there is a pause between questions");
  pauses[0]!();
  await endOfTurn();
  assert.equal(asked.length, 2);
  asked[1]!.resolve("new");
  assert.deepEqual(await Promise.all([second, third]), ["new", "new"]);
});

test("a failure is everybody's who waited for it, and the next may ask again", async () => {
  const { asked, pauses, share } = setUp();
  const [first, second] = [share(), share()];
  await endOfTurn();
  asked[0]!.reject(new Error("closed"));
  await assert.rejects(first, /closed/);
  await assert.rejects(second, /closed/);
  pauses[0]!();
  const third = share();
  await endOfTurn();
  asked[1]!.resolve("again");
  assert.equal(await third, "again");
});
