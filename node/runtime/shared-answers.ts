/** Makes one question of many: while one is under way, or its pause after it, whoever asks waits for the next answer together. An
 * answer is never older than the question. */
export function shareAnswers<T>(ask: () => Promise<T>, pause: () => Promise<void>): () => Promise<T> {
  let next: Promise<T> | undefined;
  let free: Promise<unknown> = Promise.resolve();
  return () => {
    next ??= free.then(() => {
      next = undefined;
      const answer = ask();
      free = Promise.allSettled([answer, pause()]);
      return answer;
    });
    return next;
  };
}
