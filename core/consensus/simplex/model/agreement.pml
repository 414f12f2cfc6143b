/* Agreement among validators that never crash: rules S2 to S8 and S11 of ../README.md.
 *
 * Four validators of equal weight, q = 3: three honest (0, 1, 2) and a Byzantine one. The network only remembers: a vote that was
 * sent stays in a set for ever, and whoever needs it may have received it by then, or not. The Byzantine validator has signed
 * everything from the beginning, so two honest votes are a quorum, and it leads every view: what an honest leader may
 * propose is among what this one may.
 *
 * Blocks: 0 is genesis; view v has blocks 2v - 1 and 2v. A block gets its parent with its first vote.
 * Timeouts are left free: an honest validator may give its view up at any time.
 */
#ifndef VIEWS
#define VIEWS 3
#endif

#define BLOCKS (2 * VIEWS + 1)
#define NONE 255

/* Masks of honest validators, one bit each. */
byte notarize[BLOCKS];
byte finalize[BLOCKS];
byte nullify[VIEWS + 1];
/* NONE: nobody has voted for the block. */
byte parent[BLOCKS];
/* Of each block, a mask of blocks. */
short ancestors[BLOCKS];
short final_blocks;
byte view[3];
#ifdef VIEW_BY_VIEW
byte open_view = 1;
#endif

#define IS_QUORUM(mask) ((mask) == 3 || (mask) > 4)
#define HAS(mask, i) (((mask) >> (i)) & 1)
#define FIRST(v) (2 * (v) - 1)
#define SECOND(v) (2 * (v))
#define VIEW_OF(b) (((b) + 1) / 2)
#define NOTARIZED(b) IS_QUORUM(notarize[b])
#define NULLIFIED(v) IS_QUORUM(nullify[v])
#define FINAL(b) HAS(final_blocks, b)

/* S7: any certificate of the view before. A finalization implies a notarization, which is asserted below. */
#define ADMITTED(v) ((v) == 1 || NOTARIZED(FIRST((v) - 1)) || NOTARIZED(SECOND((v) - 1)) || NULLIFIED((v) - 1))

/* Honest validators have no names: they are numbered in the order in which they first vote. */
#define IN_TURN(i) ((i) == 0 || view[(i) - 1] > 0)
#ifdef VIEW_BY_VIEW
#define IS_OPEN(v) ((v) == open_view)
#else
#define IS_OPEN(v) true
#endif
#define MAY_VOTE_IN(i, v) (IN_TURN(i) && IS_OPEN(v) && view[i] <= (v) && ADMITTED(v))

/* S4, S6, S5: the rules that planted variants break. */
#ifdef PLANT_TWO_NOTARIZES
#define MAY_NOTARIZE(i, v) true
#else
#define MAY_NOTARIZE(i, v) (!HAS(notarize[FIRST(v)] | notarize[SECOND(v)], i))
#endif
#ifdef PLANT_NULLIFY_AFTER_FINALIZE
/* A Nullify of any view, also one that was left, and was called final. */
#define MAY_NULLIFY(i, v) (IN_TURN(i) && IS_OPEN(v) && ADMITTED(v) && !HAS(nullify[v], i))
#else
#define MAY_NULLIFY(i, v) (MAY_VOTE_IN(i, v) && !HAS(nullify[v], i) && !HAS(finalize[FIRST(v)] | finalize[SECOND(v)], i))
#endif
#ifdef PLANT_FINALIZE_AFTER_NULLIFY
#define IS_FREE_TO_FINALIZE(i, v) true
#else
#define IS_FREE_TO_FINALIZE(i, v) (!HAS(nullify[v], i))
#endif

/* S3: every view between a block's and its parent's is nullified. */
#define PASSES(p, v, w) (VIEW_OF(p) >= (w) || (v) <= (w) || NULLIFIED(w))
#if VIEWS == 2
#define BETWEEN(p, v) PASSES(p, v, 1)
#elif VIEWS == 3
#define BETWEEN(p, v) (PASSES(p, v, 1) && PASSES(p, v, 2))
#elif VIEWS == 4
#define BETWEEN(p, v) (PASSES(p, v, 1) && PASSES(p, v, 2) && PASSES(p, v, 3))
#elif VIEWS == 5
#define BETWEEN(p, v) (PASSES(p, v, 1) && PASSES(p, v, 2) && PASSES(p, v, 3) && PASSES(p, v, 4))
#else
#define BETWEEN(p, v) (PASSES(p, v, 1) && PASSES(p, v, 2) && PASSES(p, v, 3) && PASSES(p, v, 4) && PASSES(p, v, 5))
#endif
#ifdef PLANT_UNCHECKED_GAP
#define IS_GOOD_PARENT(p, v) ((p) == 0 || NOTARIZED(p))
#else
#define IS_GOOD_PARENT(p, v) (((p) == 0 || NOTARIZED(p)) && BETWEEN(p, v))
#endif

/* Two blocks of a view are alike: the second is voted for after the first. */
#define IS_NEXT_VARIANT(b) ((b) % 2 == 1 || parent[(b) - 1] != NONE)

#define NOTARIZE(i, b, p) \
  :: d_step { (MAY_VOTE_IN(i, VIEW_OF(b)) && MAY_NOTARIZE(i, VIEW_OF(b)) && !HAS(notarize[b], i) && IS_NEXT_VARIANT(b) \
      && (parent[b] == NONE || parent[b] == (p)) && IS_GOOD_PARENT(p, VIEW_OF(b))) -> \
    printf("validator %d notarizes block %d on %d in view %d\n", i, b, p, VIEW_OF(b)); \
    view[i] = VIEW_OF(b); \
    parent[b] = p; \
    ancestors[b] = ancestors[p] | (1 << (p)); \
    notarize[b] = notarize[b] | (1 << (i)); \
    assert(!(NOTARIZED(FIRST(VIEW_OF(b))) && NOTARIZED(SECOND(VIEW_OF(b))))) }

#define NULLIFY(i, v) \
  :: d_step { MAY_NULLIFY(i, v) -> \
    printf("validator %d nullifies view %d\n", i, v); \
    view[i] = (view[i] < (v) -> (v) : view[i]); \
    nullify[v] = nullify[v] | (1 << (i)); \
    assert(!(NULLIFIED(v) && (FINAL(FIRST(v)) || FINAL(SECOND(v))))) }

/* S5, in any view: whoever holds a notarization is past its view (S7). */
#define FINALIZE(i, b) \
  :: d_step { (NOTARIZED(b) && IS_FREE_TO_FINALIZE(i, VIEW_OF(b)) && IN_TURN(i) && IS_OPEN(VIEW_OF(b)) \
      && !HAS(finalize[FIRST(VIEW_OF(b))] | finalize[SECOND(VIEW_OF(b))], i)) -> \
    printf("validator %d finalizes block %d\n", i, b); \
    view[i] = (view[i] <= VIEW_OF(b) -> VIEW_OF(b) + 1 : view[i]); \
    finalize[b] = finalize[b] | (1 << (i)); \
    if \
    :: IS_QUORUM(finalize[b]) -> \
      final_blocks = final_blocks | (1 << (b)); \
      assert(NOTARIZED(b)); \
      assert(!NULLIFIED(VIEW_OF(b))); \
      checkAgreement(b) \
    :: else \
    fi }

/* S11: of two final blocks, one is the other's ancestor. */
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
  :: NOTARIZED(b) -> notarize[b] = 7
  :: else ->
    notarize[b] = 0;
    parent[b] = NONE;
    ancestors[b] = 0
  fi;
  finalize[b] = 0
}

#define EACH(M, b, p) M(0, b, p) M(1, b, p) M(2, b, p)
#define NOTARIZE_1 EACH(NOTARIZE, 1, 0) EACH(NOTARIZE, 2, 0)
#define ON_VIEW_1(b) EACH(NOTARIZE, b, 0) EACH(NOTARIZE, b, 1) EACH(NOTARIZE, b, 2)
#define ON_VIEW_2(b) ON_VIEW_1(b) EACH(NOTARIZE, b, 3) EACH(NOTARIZE, b, 4)
#define ON_VIEW_3(b) ON_VIEW_2(b) EACH(NOTARIZE, b, 5) EACH(NOTARIZE, b, 6)
#define ON_VIEW_4(b) ON_VIEW_3(b) EACH(NOTARIZE, b, 7) EACH(NOTARIZE, b, 8)
#define ON_VIEW_5(b) ON_VIEW_4(b) EACH(NOTARIZE, b, 9) EACH(NOTARIZE, b, 10)
#define GIVE_UP(v) NULLIFY(0, v) NULLIFY(1, v) NULLIFY(2, v)
#define CALL_FINAL(v) FINALIZE(0, FIRST(v)) FINALIZE(1, FIRST(v)) FINALIZE(2, FIRST(v)) \
  FINALIZE(0, SECOND(v)) FINALIZE(1, SECOND(v)) FINALIZE(2, SECOND(v))

byte other;

init {
  d_step {
    other = 1;
    do
    :: other < BLOCKS -> parent[other] = NONE; other++
    :: else -> break
    od;
    other = 0;
  }
end_of_time:
  do
  NOTARIZE_1 GIVE_UP(1) CALL_FINAL(1)
#if VIEWS >= 2
  ON_VIEW_1(3) ON_VIEW_1(4) GIVE_UP(2) CALL_FINAL(2)
#endif
#if VIEWS >= 3
  ON_VIEW_2(5) ON_VIEW_2(6) GIVE_UP(3) CALL_FINAL(3)
#endif
#if VIEWS >= 4
  ON_VIEW_3(7) ON_VIEW_3(8) GIVE_UP(4) CALL_FINAL(4)
#endif
#if VIEWS >= 5
  ON_VIEW_4(9) ON_VIEW_4(10) GIVE_UP(5) CALL_FINAL(5)
#endif
#if VIEWS >= 6
  ON_VIEW_5(11) ON_VIEW_5(12) GIVE_UP(6) CALL_FINAL(6)
#endif
#ifdef VIEW_BY_VIEW
  :: d_step { (open_view < VIEWS && ADMITTED(open_view + 1)) ->
    keepCertificates(FIRST(open_view));
    keepCertificates(SECOND(open_view));
    nullify[open_view] = (NULLIFIED(open_view) -> 7 : 0);
    view[0] = 0;
    view[1] = 0;
    view[2] = 0;
    open_view++ }
#endif
  od
}
