/* Executed votes and state certificates over crashes ("order, then execute, then certify").
 *
 * Four validators of equal weight, q = 3: three honest (0, 1, 2) and a liar, which has signed every result. One height: votes of one
 * say nothing of another. The worst is assumed of execution: each time an honest validator executes the block, also again after a crash,
 * the result may be another. Asserted all the same: never two certified results, and no honest validator sends two.
 *
 * A block is executed (in memory), stored (one durable batch), signed into the tail of the log, synced, sent; a crash may come between
 * any two. The store is written before the signature, so a validator may lose its log, or its store, and still not contradict
 * itself: it must not lose both.
 */
#ifndef CRASHES
#define CRASHES 4
#endif
#ifndef LOSSES
#define LOSSES 3
#endif

#define IS_QUORUM(mask) ((mask) == 3 || (mask) > 4)
#define HAS(mask, i) (((mask) >> (i)) & 1)

/* Results are 1 and 2; 0 is none. `result` and `signed` are in memory. */
byte result[3];
byte signed_[3];
byte stored[3];
byte logged[3];
/* Masks of the honest validators that ever sent result 1, and 2. */
byte sent_1;
byte sent_2;
byte crashes;
byte losses;
/* Masks of those that lost one of the two. */
byte lost_log;
byte lost_store;

#ifdef PLANT_SIGN_BEFORE_STORING
#define IS_SIGNABLE(i) (result[i] != 0)
#else
#define IS_SIGNABLE(i) (stored[i] != 0)
#endif
#ifdef PLANT_FORGET_RECORD
#define RECORDED(i) 0
#else
#define RECORDED(i) logged[i]
#endif
#ifdef PLANT_SEND_BEFORE_SYNC
#define IS_SENDABLE(i) (signed_[i] != 0)
#else
#define IS_SENDABLE(i) (signed_[i] != 0 && logged[i] == signed_[i])
#endif
#ifdef PLANT_LOSE_BOTH
#define MAY_LOSE(other_lost, i) true
#else
#define MAY_LOSE(other_lost, i) (!HAS(other_lost, i))
#endif

#define EXECUTE(i, r) \
  :: d_step { result[i] == 0 -> \
    printf("validator %d executes: result %d\n", i, r); \
    result[i] = r }

#define STORE(i) \
  :: d_step { (result[i] != 0 && stored[i] == 0) -> \
    printf("validator %d stores its result\n", i); \
    stored[i] = result[i] }

/* Refused if another result was ever signed. */
#define SIGN(i) \
  :: d_step { (IS_SIGNABLE(i) && signed_[i] == 0) -> \
    printf("validator %d signs result %d\n", i, result[i]); \
    signed_[i] = result[i] }

#define SYNC(i) \
  :: d_step { (signed_[i] != 0 && logged[i] != signed_[i]) -> \
    printf("validator %d syncs its log\n", i); \
    logged[i] = signed_[i] }

#define SEND(i) \
  :: d_step { (IS_SENDABLE(i) && !HAS((signed_[i] == 1 -> sent_1 : sent_2), i)) -> \
    printf("validator %d sends result %d\n", i, signed_[i]); \
    if \
    :: signed_[i] == 1 -> sent_1 = sent_1 | (1 << (i)) \
    :: else -> sent_2 = sent_2 | (1 << (i)) \
    fi; \
    assert(!(IS_QUORUM(sent_1) && IS_QUORUM(sent_2))); \
    ASSERT_EACH_SENDS_ONE }

#ifdef CERTIFICATES_ONLY
#define ASSERT_EACH_SENDS_ONE skip
#else
#define ASSERT_EACH_SENDS_ONE assert((sent_1 & sent_2) == 0)
#endif

#define RECALL(i) \
    result[i] = stored[i]; \
    signed_[i] = RECORDED(i)

#define CRASH(i) \
  :: d_step { crashes < CRASHES -> \
    printf("validator %d crashes and restarts\n", i); \
    crashes++; \
    RECALL(i) }

#define LOSE(i) \
  :: d_step { (losses < LOSSES && MAY_LOSE(lost_store, i)) -> \
    printf("validator %d loses its log\n", i); \
    losses++; \
    lost_log = lost_log | (1 << (i)); \
    logged[i] = 0; \
    RECALL(i) } \
  :: d_step { (losses < LOSSES && MAY_LOSE(lost_log, i)) -> \
    printf("validator %d loses its store\n", i); \
    losses++; \
    lost_store = lost_store | (1 << (i)); \
    stored[i] = 0; \
    RECALL(i) }

#define EACH(i) EXECUTE(i, 1) EXECUTE(i, 2) STORE(i) SIGN(i) SYNC(i) SEND(i) CRASH(i) LOSE(i)

init {
end_of_time:
  do
  EACH(0) EACH(1) EACH(2)
  od
}
