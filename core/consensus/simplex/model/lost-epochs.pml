/* In which epochs a validator that lost its log asks the others before it votes (rule S14 in several epochs, E7).
 *
 * One validator. That S14 keeps it from contradicting itself within one epoch is what lost-log.pml shows, so here a vote is free in an
 * epoch in which it asked; in any other, it must not have voted before it lost the log. Sets of different epochs
 * may have no member in common but this one, so nothing is assumed of the others: each epoch may end at any time, and any
 * epoch whose end it has not seen again may let it vote.
 *
 * It enters epoch e + 1 only when a late block of epoch e is executed and stored here (E4): a store that is kept is of the newest epoch
 * or of the one before.
 */
#ifndef EPOCHS
#define EPOCHS 6
#endif
#ifndef LOSSES
#define LOSSES 3
#endif

#define HAS(mask, i) (((mask) >> (i)) & 1)
#define LOWEST(mask) (HAS(mask, 0) -> 0 : (HAS(mask, 1) -> 1 : (HAS(mask, 2) -> 2 : (HAS(mask, 3) -> 3 : (HAS(mask, 4) -> 4 : 5)))))

/* Masks of epochs in which it voted before the newest loss, and since. */
byte before;
byte since;
byte epoch;
/* Epoch of the newest block in its store. */
byte stored;
bool was_lost;
byte losses;
/* The newest epoch it may have voted in, on disk beside the keys before the first vote of the epoch. */
byte beside_keys;

#if defined(PLANT_ASK_ONCE)
#define IS_LOST_IN(e) (was_lost && since == 0)
#elif defined(PLANT_WHOLE_AFTER_LATER_VOTE)
/* Forgets the loss at the first vote in an epoch after the first one that it voted in. */
#define IS_LOST_IN(e) (was_lost && !HAS(since, e) && (since == 0 || ((since >> (LOWEST(since) + 1)) == 0 && (e) <= LOWEST(since) + 1)))
#elif defined(FORGOTTEN_AFTER_NEXT)
/* Forgets it at the first vote in the epoch after that one: both are voted in by then, having asked. */
#define IS_LOST_IN(e) (was_lost && !HAS(since, e) && (since == 0 || (!HAS(since, LOWEST(since) + 1) && (e) <= LOWEST(since) + 1)))
#elif defined(EPOCH_BESIDE_KEYS)
#define IS_LOST_IN(e) (was_lost && !HAS(since, e) && (e) <= beside_keys)
#else
#define IS_LOST_IN(e) (was_lost && !HAS(since, e) && (since == 0 || (e) <= LOWEST(since) + 1))
#endif

init {
end_of_time:
  do
  :: d_step { true ->
    printf("votes in epoch %d, having asked: %d\n", epoch, IS_LOST_IN(epoch));
    assert(HAS(since, epoch) || IS_LOST_IN(epoch) || !HAS(before, epoch));
    beside_keys = (beside_keys < epoch -> epoch : beside_keys);
    since = since | (1 << epoch) }
  :: d_step { (epoch < EPOCHS - 1 && stored == epoch) ->
    printf("enters epoch %d\n", epoch + 1);
    epoch++ }
  :: d_step { stored < epoch ->
    printf("stores a block of epoch %d\n", epoch);
    stored = epoch }
  :: d_step { epoch > stored ->
    printf("restarts with its log\n");
    epoch = stored }
  :: d_step { losses < LOSSES ->
    printf("loses its log\n");
    losses++;
    was_lost = true;
    before = before | since;
    since = 0;
    epoch = stored }
#ifdef STORE_MAY_BE_LOST
  :: d_step { (was_lost && since == 0 && stored > 0) ->
    printf("its store is of the past\n");
    stored--;
    epoch = stored }
#endif
  od
}
