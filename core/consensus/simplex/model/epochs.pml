/* The handover from epoch 1 to epoch 2 (E1 to E4, E6): one last block B, one set, and agreement on both sides.
 *
 * Six validators of equal weight. Honest: 0, 1, 2, 3; Byzantine: 4 and 5, which have signed everything for every epoch. Epoch 1 belongs
 * to 0, 1, 2 and 4; epoch 2 to 1, 2, 3 and 5: one honest and the Byzantine validator leave, one of each comes. q = 3 in both.
 *
 * Epoch 1 has heights 1 (the frozen block) and 2 (B); what is above B are sealing blocks. Each epoch is agreement.pml, view by view: every
 * action depends on actions of its own view or of views below alone, so any run can be put into that order. The same goes for epochs:
 * that an epoch has ended only forbids votes. Blocks: 0 is what the epoch begins on; view v has blocks 2v - 1 and 2v.
 *
 * Execution of the frozen block may go wrong: it says set 1 or set 2. A state certificate needs q of epoch 1's validators (E1), and who has
 * another result stops.
 */
#ifndef VIEWS
#define VIEWS 3
#endif

#define BLOCKS (2 * VIEWS + 1)
#define NONE 255
#define LAST_HEIGHT 2
#define BYZANTINE 48
#define MEMBERS_OF_1 23
#define MEMBERS_OF_2 46

/* Masks of validators. */
byte notarize[BLOCKS];
byte nullify[VIEWS + 1];
byte parent[BLOCKS];
byte height[BLOCKS];
/* Of each block the one of LAST_HEIGHT that it is or descends from; 0 is none. */
byte last_block[BLOCKS];
/* Of each block, a mask of blocks. */
short ancestors[BLOCKS];
short final_blocks;
/* Masks of honest validators that are past the open view, or called a block of it final. */
byte is_past;
/* Honest members have no names within a view: how many have acted in it. */
byte acted;
byte epoch = 1;
byte open_view = 1;
/* Views nullified in epoch 1. */
byte old_nullified;
/* B and the set with which each honest validator began epoch 2; 0 is none. */
byte begun_on[4];
byte begun_with[4];
/* Masks of honest validators whose execution says set 1, and set 2. */
byte executed_1;
byte executed_2;
byte other;

#define HAS(mask, i) (((mask) >> (i)) & 1)
#define BIT(i) (1 << (i))
#define COUNT(mask) (HAS(mask, 0) + HAS(mask, 1) + HAS(mask, 2) + HAS(mask, 3) + HAS(mask, 4) + HAS(mask, 5))

#ifdef PLANT_WEIGHTS_ACROSS_EPOCHS
#define MEMBERS (MEMBERS_OF_1 | MEMBERS_OF_2)
#else
#define MEMBERS (epoch == 1 -> MEMBERS_OF_1 : MEMBERS_OF_2)
#endif
#define IS_QUORUM(mask) (COUNT(((mask) | BYZANTINE) & MEMBERS) >= 3)

#define FIRST(v) (2 * (v) - 1)
#define SECOND(v) (2 * (v))
#define VIEW_OF(b) (((b) + 1) / 2)
#define NOTARIZED(b) IS_QUORUM(notarize[b])
#ifdef PLANT_CERTIFICATE_OF_ANOTHER_EPOCH
#define NULLIFIED(v) (IS_QUORUM(nullify[v]) || (epoch == 2 && HAS(old_nullified, v)))
#else
#define NULLIFIED(v) IS_QUORUM(nullify[v])
#endif
#define FINAL(b) HAS(final_blocks, b)
#define ADMITTED(v) ((v) == 1 || NOTARIZED(FIRST((v) - 1)) || NOTARIZED(SECOND((v) - 1)) || NULLIFIED((v) - 1))

/* The three honest members of an epoch; in epoch 2 they vote once they have begun it. */
#define SELF(i) ((i) + epoch - 1)
#define IS_HERE(i) ((i) <= acted && (epoch == 1 || begun_on[SELF(i)] != 0))
#define ACT(i) acted = (acted == (i) -> (i) + 1 : acted)
#define MAY_VOTE_IN(i, v) ((v) == open_view && IS_HERE(i) && !HAS(is_past, SELF(i)))

#define PASSES(p, v, w) (VIEW_OF(p) >= (w) || (v) <= (w) || NULLIFIED(w))
#if VIEWS == 3
#define BETWEEN(p, v) (PASSES(p, v, 1) && PASSES(p, v, 2))
#else
#define BETWEEN(p, v) (PASSES(p, v, 1) && PASSES(p, v, 2) && PASSES(p, v, 3))
#endif
#define IS_GOOD_PARENT(p, v) (((p) == 0 || NOTARIZED(p)) && BETWEEN(p, v))
#define IS_NEXT_VARIANT(b) ((b) % 2 == 1 || parent[(b) - 1] != NONE)

#define NOTARIZE(i, b, p) \
  :: d_step { (MAY_VOTE_IN(i, VIEW_OF(b)) && !HAS(notarize[FIRST(VIEW_OF(b))] | notarize[SECOND(VIEW_OF(b))], SELF(i)) \
      && IS_NEXT_VARIANT(b) && (parent[b] == NONE || parent[b] == (p)) && IS_GOOD_PARENT(p, VIEW_OF(b))) -> \
    printf("epoch %d: validator %d notarizes block %d on %d in view %d\n", epoch, SELF(i), b, p, VIEW_OF(b)); \
    ACT(i); \
    parent[b] = p; \
    height[b] = (height[p] > LAST_HEIGHT -> height[p] : height[p] + 1); \
    last_block[b] = (height[b] == LAST_HEIGHT -> b : last_block[p]); \
    ancestors[b] = ancestors[p] | BIT(p); \
    notarize[b] = notarize[b] | BIT(SELF(i)); \
    assert(!(NOTARIZED(FIRST(VIEW_OF(b))) && NOTARIZED(SECOND(VIEW_OF(b))))) }

#define NULLIFY(i, v) \
  :: d_step { (MAY_VOTE_IN(i, v) && !HAS(nullify[v], SELF(i))) -> \
    printf("epoch %d: validator %d nullifies view %d\n", epoch, SELF(i), v); \
    ACT(i); \
    nullify[v] = nullify[v] | BIT(SELF(i)); \
    assert(!(NULLIFIED(v) && (FINAL(FIRST(v)) || FINAL(SECOND(v))))) }

/* Two honest validators at once: a Finalize that never becomes a certificate only forbids its signer other votes. With weights of both
 * epochs, one would do. */
#define FINALIZE(i, j, b) \
  :: d_step { (VIEW_OF(b) == open_view && NOTARIZED(b) && !FINAL(b) && IS_HERE(i) && (epoch == 1 || begun_on[SELF(j)] != 0) \
      && (j) <= (acted > (i) -> acted : (i) + 1) \
      && !HAS(nullify[VIEW_OF(b)] | is_past, SELF(i)) && !HAS(nullify[VIEW_OF(b)] | is_past, SELF(j))) -> \
    printf("epoch %d: validators %d and %d finalize block %d\n", epoch, SELF(i), SELF(j), b); \
    ACT(i); \
    ACT(j); \
    is_past = is_past | BIT(SELF(i)) | BIT(SELF(j)); \
    final_blocks = final_blocks | BIT(b); \
    assert(!NULLIFIED(VIEW_OF(b))); \
    checkAgreement(b) }

inline checkAgreement(b) {
  other = 1;
  do
  :: other < BLOCKS ->
    assert(!FINAL(other) || other == b || HAS(ancestors[b], other) || HAS(ancestors[other], b));
    other++
  :: else -> break
  od;
  other = 0
}

/* Of a view that is over, only its certificates can matter. */
inline keepCertificates(b) {
  if
  :: NOTARIZED(b) -> notarize[b] = 63
  :: else ->
    notarize[b] = 0;
    parent[b] = NONE;
    height[b] = 0;
    last_block[b] = 0;
    ancestors[b] = 0
  fi
}

/* E3, E4: B is final itself or by a sealing block above it. */
#ifdef PLANT_BEGIN_BEFORE_FINAL
#define ENDS_EPOCH(b) (NOTARIZED(b) && last_block[b] != 0)
#else
#define ENDS_EPOCH(b) (FINAL(b) && last_block[b] != 0)
#endif
#ifdef PLANT_NO_STATE_CERTIFICATE
#define IS_CERTIFIED(executed) true
#else
#define IS_CERTIFIED(executed) IS_QUORUM((executed) & MEMBERS_OF_1)
#endif

/* Neither result is the right one: set 1 is what the first of them says. */
#define EXECUTE(i) \
  :: d_step { (epoch == 1 && open_view == VIEWS + 1 && !HAS(executed_1 | executed_2, i)) -> \
    printf("validator %d executes: set 1\n", i); \
    executed_1 = executed_1 | BIT(i) } \
  :: d_step { (epoch == 1 && open_view == VIEWS + 1 && executed_1 != 0 && !HAS(executed_1 | executed_2, i)) -> \
    printf("validator %d executes: set 2\n", i); \
    executed_2 = executed_2 | BIT(i) }

#define BEGIN(i, b) \
  :: d_step { (epoch == 1 && open_view == VIEWS + 1 && begun_on[i] == 0 && ENDS_EPOCH(b) \
      && ((HAS(executed_1, i) && IS_CERTIFIED(executed_1)) || (HAS(executed_2, i) && IS_CERTIFIED(executed_2)))) -> \
    printf("validator %d begins epoch 2 on block %d\n", i, last_block[b]); \
    begun_on[i] = last_block[b]; \
    begun_with[i] = (HAS(executed_1, i) -> 1 : 2); \
    other = 0; \
    do \
    :: other < 4 -> \
      assert(begun_on[other] == 0 || (begun_on[other] == begun_on[i] && begun_with[other] == begun_with[i])); \
      other++ \
    :: else -> break \
    od; \
    other = 0 }

#define EACH(M, b, p) M(0, b, p) M(1, b, p) M(2, b, p)
#define ON_VIEW_1(b) EACH(NOTARIZE, b, 0) EACH(NOTARIZE, b, 1) EACH(NOTARIZE, b, 2)
#define ON_VIEW_2(b) ON_VIEW_1(b) EACH(NOTARIZE, b, 3) EACH(NOTARIZE, b, 4)
#define ON_VIEW_3(b) ON_VIEW_2(b) EACH(NOTARIZE, b, 5) EACH(NOTARIZE, b, 6)
#define GIVE_UP(v) NULLIFY(0, v) NULLIFY(1, v) NULLIFY(2, v)
#define CALL_BLOCK_FINAL(b) FINALIZE(0, 1, b) FINALIZE(0, 2, b) FINALIZE(1, 2, b)
#define CALL_FINAL(v) CALL_BLOCK_FINAL(FIRST(v)) CALL_BLOCK_FINAL(SECOND(v))
#define BEGIN_ON(b) BEGIN(1, b) BEGIN(2, b) BEGIN(3, b)

inline clear() {
  other = 0;
  do
  :: other < BLOCKS ->
    notarize[other] = 0;
    parent[other] = NONE;
    height[other] = 0;
    last_block[other] = 0;
    ancestors[other] = 0;
    other++
  :: else -> break
  od;
  other = 0
}

init {
  d_step { clear() }
end_of_time:
  do
  EACH(NOTARIZE, 1, 0) EACH(NOTARIZE, 2, 0) GIVE_UP(1) CALL_FINAL(1)
  ON_VIEW_1(3) ON_VIEW_1(4) GIVE_UP(2) CALL_FINAL(2)
  ON_VIEW_2(5) ON_VIEW_2(6) GIVE_UP(3) CALL_FINAL(3)
#if VIEWS >= 4
  ON_VIEW_3(7) ON_VIEW_3(8) GIVE_UP(4) CALL_FINAL(4)
#endif
  :: d_step { (open_view <= VIEWS && (ADMITTED(open_view + 1) || open_view == VIEWS)) ->
    keepCertificates(FIRST(open_view));
    keepCertificates(SECOND(open_view));
    nullify[open_view] = (NULLIFIED(open_view) -> 63 : 0);
    is_past = 0;
    acted = 0;
    open_view++ }
  EXECUTE(0) EXECUTE(1) EXECUTE(2) EXECUTE(3)
  BEGIN_ON(3) BEGIN_ON(4) BEGIN_ON(5) BEGIN_ON(6)
#if VIEWS >= 4
  BEGIN_ON(7) BEGIN_ON(8)
#endif
  :: d_step { (epoch == 1 && (begun_on[1] != 0 || begun_on[2] != 0 || begun_on[3] != 0)) ->
    printf("epoch 2 begins\n");
    clear();
    old_nullified = 0;
    other = 1;
    do
    :: other <= VIEWS ->
      old_nullified = old_nullified | (NULLIFIED(other) -> BIT(other) : 0);
      nullify[other] = 0;
      other++
    :: else -> break
    od;
    other = 1;
    do
    :: other < 4 ->
      begun_on[other] = (begun_on[other] == 0 -> 0 : 1);
      begun_with[other] = 0;
      other++
    :: else -> break
    od;
    other = 0;
    final_blocks = 0;
    is_past = 0;
    acted = 0;
    executed_1 = 0;
    executed_2 = 0;
    open_view = 1;
    epoch = 2 }
  od
}
