/* Crashes and restarts with the write-ahead log: "a vote is on disk before it counts or leaves" (rules S4 to S7 over restarts).
 *
 * Four validators of equal weight, q = 3: three honest (0, 1, 2) and a Byzantine one, which has signed everything from the beginning.
 * Any honest validator crashes at any moment. What it decided to sign and had not synced is gone; so are all certificates (the worst case:
 * it comes back in the view of its newest logged vote, or in view 1). Parents are left out: a vote is allowed for either of
 * two blocks a view, which is more than S3 allows; that final blocks then agree is what agreement.pml shows of votes that keep the rules.
 *
 * Asserted: no honest validator sends two votes that contradict each other; no view has two notarized blocks, or a final and a nullification.
 */
#ifndef VIEWS
#define VIEWS 2
#endif
#ifndef CRASHES
#define CRASHES 3
#endif

/* A vote is a bit: five kinds a view. */
#define NOTARIZE_A(v) (1 << (((v) - 1) * 5))
#define NOTARIZE_B(v) (2 << (((v) - 1) * 5))
#define NULLIFY(v) (4 << (((v) - 1) * 5))
#define FINALIZE_A(v) (8 << (((v) - 1) * 5))
#define FINALIZE_B(v) (16 << (((v) - 1) * 5))
#define ALL_NULLIFIES (NULLIFY(1) | NULLIFY(2) | NULLIFY(3))

/* Masks of votes: in the log, synced; sent to anybody, ever; decided and not yet synced (at most one, because `sign` is a barrier). */
short logged[3];
short sent[3];
short tail[3];
byte view[3];
byte crashes;

#define KNOWS(i, votes) (((logged[i] | tail[i]) & (votes)) != 0)
#define SENDERS(vote) (((sent[0] & (vote)) != 0) + ((sent[1] & (vote)) != 0) + ((sent[2] & (vote)) != 0))
#define CERTIFIED(vote) (SENDERS(vote) >= 2)
#define ADMITTED(v) ((v) == 1 || CERTIFIED(NOTARIZE_A((v) - 1)) || CERTIFIED(NOTARIZE_B((v) - 1)) || CERTIFIED(NULLIFY((v) - 1)))

/* Honest validators have no names: they are numbered in the order in which they first vote. */
#define IN_TURN(i) ((i) == 0 || (sent[(i) - 1] | tail[(i) - 1]) != 0)

/* Nor have the two blocks of a view: A is the one that is voted for first. */
#define IS_SECOND(v) (((sent[0] | sent[1] | sent[2] | tail[0] | tail[1] | tail[2]) & NOTARIZE_A(v)) != 0)

#ifdef PLANT_SEND_BEFORE_SYNC
#define LEAVE_EARLY(i) sent[i] = sent[i] | tail[i]; CHECK(i)
#else
#define LEAVE_EARLY(i) skip
#endif

#if defined(PLANT_FORGET_NULLIFY)
#define READ_BACK(i) logged[i] & ~ALL_NULLIFIES
#elif defined(PLANT_FORGET_NOTARIZE)
#define READ_BACK(i) logged[i] & (ALL_NULLIFIES * 7)
#else
#define READ_BACK(i) logged[i]
#endif
#define VIEW_OF_NEWEST(votes) (((votes) >> 10) != 0 -> 3 : (((votes) >> 5) != 0 -> 2 : 1))

#define SIGN(i, vote) tail[i] = (vote); LEAVE_EARLY(i)

/* S4 */
#define VOTE_FOR(i, v, vote, name) \
  :: d_step { ((name == 'A' || IS_SECOND(v)) && IN_TURN(i) && tail[i] == 0 && view[i] <= (v) && ADMITTED(v) && !KNOWS(i, NOTARIZE_A(v) | NOTARIZE_B(v))) -> \
    printf("validator %d signs Notarize %c in view %d\n", i, name, v); \
    view[i] = (v); \
    SIGN(i, vote) }

/* S6, S8 */
#define GIVE_UP(i, v) \
  :: d_step { (IN_TURN(i) && tail[i] == 0 && view[i] <= (v) && ADMITTED(v) \
      && !KNOWS(i, NULLIFY(v) | FINALIZE_A(v) | FINALIZE_B(v))) -> \
    printf("validator %d signs Nullify in view %d\n", i, v); \
    view[i] = (v); \
    SIGN(i, NULLIFY(v)) }

/* S5, S7 */
#define CALL_FINAL(i, v, notarize, finalize, name) \
  :: d_step { (IN_TURN(i) && tail[i] == 0 && CERTIFIED(notarize) && !KNOWS(i, NULLIFY(v) | FINALIZE_A(v) | FINALIZE_B(v))) -> \
    printf("validator %d signs Finalize %c in view %d\n", i, name, v); \
    view[i] = (view[i] <= (v) -> (v) + 1 : view[i]); \
    SIGN(i, finalize) }

#define CHECK_VIEW(i, v) \
  assert((sent[i] & NOTARIZE_A(v)) == 0 || (sent[i] & NOTARIZE_B(v)) == 0); \
  assert((sent[i] & NULLIFY(v)) == 0 || (sent[i] & (FINALIZE_A(v) | FINALIZE_B(v))) == 0); \
  assert((sent[i] & FINALIZE_A(v)) == 0 || (sent[i] & FINALIZE_B(v)) == 0); \
  assert(!(CERTIFIED(NOTARIZE_A(v)) && CERTIFIED(NOTARIZE_B(v)))); \
  assert(!(CERTIFIED(NULLIFY(v)) && (CERTIFIED(FINALIZE_A(v)) || CERTIFIED(FINALIZE_B(v)))))
#if VIEWS == 1
#define CHECK(i) CHECK_VIEW(i, 1)
#elif VIEWS == 2
#define CHECK(i) CHECK_VIEW(i, 1); CHECK_VIEW(i, 2)
#else
#define CHECK(i) CHECK_VIEW(i, 1); CHECK_VIEW(i, 2); CHECK_VIEW(i, 3)
#endif

#define SYNC_AND_SEND(i) \
  :: d_step { tail[i] != 0 -> \
    printf("validator %d syncs its log and sends the vote\n", i); \
    logged[i] = logged[i] | tail[i]; \
    sent[i] = sent[i] | tail[i]; \
    tail[i] = 0; \
    CHECK(i) }

#define CRASH(i) \
  :: d_step { (crashes < CRASHES && (tail[i] != 0 || view[i] > 0)) -> \
    printf("validator %d crashes and restarts\n", i); \
    crashes++; \
    tail[i] = 0; \
    logged[i] = READ_BACK(i); \
    view[i] = VIEW_OF_NEWEST(logged[i]) }

#define VOTES_OF(i, v) VOTE_FOR(i, v, NOTARIZE_A(v), 'A') VOTE_FOR(i, v, NOTARIZE_B(v), 'B') GIVE_UP(i, v) \
  CALL_FINAL(i, v, NOTARIZE_A(v), FINALIZE_A(v), 'A') CALL_FINAL(i, v, NOTARIZE_B(v), FINALIZE_B(v), 'B')
#define EACH(v) VOTES_OF(0, v) VOTES_OF(1, v) VOTES_OF(2, v)

init {
end_of_time:
  do
  EACH(1)
#if VIEWS >= 2
  EACH(2)
#endif
#if VIEWS >= 3
  EACH(3)
#endif
  SYNC_AND_SEND(0) SYNC_AND_SEND(1) SYNC_AND_SEND(2)
  CRASH(0) CRASH(1) CRASH(2)
  od
}
