/* Rule S14 of ../README.md: validators that lose their logs, also one after another, and restart.
 *
 * Four validators of equal weight, q = 3: three honest (0, 1, 2) and a Byzantine one, which has signed everything from the
 * beginning and reports view 1, the lowest. Reports of all three others are needed, since q of them are three.
 *
 * What a vote says is left out: a view is certified once two honest validators have signed anything in it, which is more
 * than the rules allow. Asserted is more than the rules need: what was signed before a log was lost is in a view in which nothing is
 * signed after it. Without contradicting votes of honest validators, agreement.pml applies.
 */
#ifndef VIEWS
#define VIEWS 4
#endif
/* How often a log is lost, and how often a validator restarts with its log, all together. */
#ifndef LOSSES
#define LOSSES 2
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif

#define HAS(mask, i) (((mask) >> (i)) & 1)
#define BIT(i) (1 << (i))

/* Masks of views: signed in before the newest loss, and since. */
byte before[3];
byte since[3];
byte view[3];
byte abstain[3];
/* Masks of honest validators whose report is here. */
byte reported[3];
byte newest_report[3];
bool asks[3];
bool was_lost[3];
byte losses;
byte restarts;

#define SIGNED_IN(i, v) HAS(before[i] | since[i], v)
#define CERTIFIED(v) (SIGNED_IN(0, v) + SIGNED_IN(1, v) + SIGNED_IN(2, v) >= 2)
#define ADMITTED(v) ((v) == 1 || CERTIFIED((v) - 1))
#define OTHERS(i) (7 - BIT(i))
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define HIGHEST(mask) (HAS(mask, 5) -> 5 : (HAS(mask, 4) -> 4 : (HAS(mask, 3) -> 3 : (HAS(mask, 2) -> 2 : 1))))
#define LOWEST(mask) (HAS(mask, 1) -> 1 : (HAS(mask, 2) -> 2 : (HAS(mask, 3) -> 3 : (HAS(mask, 4) -> 4 : 5))))

#ifdef PLANT_NO_ABSTAINING
#define ABSTAIN_THROUGH(i) 0
#elif defined(PLANT_ABSTAIN_THROUGH_MAXIMUM)
#define ABSTAIN_THROUGH(i) newest_report[i]
#else
#define ABSTAIN_THROUGH(i) (newest_report[i] + 1)
#endif

/* Who may answer: not one that itself asks, nor one that has not yet passed the views through which it abstains. */
#ifdef PLANT_ANYBODY_ANSWERS
#define MAY_ANSWER(j) true
#elif defined(PLANT_ANSWER_WHILE_ABSTAINING)
#define MAY_ANSWER(j) (!asks[j])
#else
#define MAY_ANSWER(j) (!asks[j] && view[j] > abstain[j])
#endif

#ifdef PLANT_FORGET_ABSTENTION
#define ABSTENTION_AFTER_RESTART(i) 0
#else
#define ABSTENTION_AFTER_RESTART(i) (since[i] == 0 -> 0 : LOWEST(since[i]) - 1)
#endif

#define MAY_SIGN(i, v) (!asks[i] && (v) > abstain[i] && !HAS(since[i], v))

/* Notarize or Nullify, in the current view. */
#define VOTE(i, v) \
  :: d_step { (MAY_SIGN(i, v) && view[i] <= (v) && ADMITTED(v)) -> \
    printf("validator %d votes in view %d\n", i, v); \
    assert(!HAS(before[i], v)); \
    since[i] = since[i] | BIT(v); \
    view[i] = (v) }

/* S5, in any view. */
#define FINALIZE(i, v) \
  :: d_step { (MAY_SIGN(i, v) && view[i] > (v) && CERTIFIED(v)) -> \
    printf("validator %d finalizes in view %d\n", i, v); \
    assert(!HAS(before[i], v)); \
    since[i] = since[i] | BIT(v) }

/* S7. */
#define ENTER(i, v) \
  :: d_step { (view[i] < (v) && ADMITTED(v)) -> \
    printf("validator %d enters view %d\n", i, v); \
    view[i] = (v) }

#define REPORT(i, j) \
  :: d_step { (asks[i] && i != j && MAY_ANSWER(j) && !HAS(reported[i], j)) -> \
    printf("validator %d reports view %d to %d\n", j, view[j], i); \
    reported[i] = reported[i] | BIT(j); \
    newest_report[i] = MAX(newest_report[i], view[j]); \
    if \
    :: reported[i] == OTHERS(i) -> \
      asks[i] = false; \
      view[i] = MAX(view[i], newest_report[i]); \
      abstain[i] = ABSTAIN_THROUGH(i); \
      printf("validator %d abstains through view %d\n", i, abstain[i]); \
      reported[i] = 0; \
      newest_report[i] = 1 \
    :: else \
    fi }

/* With its log: certificates written after the last vote may be gone, the vote itself is not. */
#define RESTART(i) \
  :: d_step { restarts < RESTARTS -> \
    printf("validator %d restarts with its log\n", i); \
    restarts++; \
    view[i] = (since[i] == 0 -> 1 : HIGHEST(since[i])); \
    asks[i] = (was_lost[i] && since[i] == 0); \
    abstain[i] = ABSTENTION_AFTER_RESTART(i); \
    reported[i] = 0; \
    newest_report[i] = 1 }

#ifdef PLANT_REPORTS_OF_AN_EARLIER_RUN
/* They arrive at once, and abstain from what they did then. */
#define ASKS_AGAIN(i) (abstain[i] == 0)
#define ABSTENTION_AFTER_LOSS(i) abstain[i]
#else
#define ASKS_AGAIN(i) true
#define ABSTENTION_AFTER_LOSS(i) 0
#endif

#define LOSE(i) \
  :: d_step { losses < LOSSES -> \
    printf("validator %d loses its log\n", i); \
    losses++; \
    was_lost[i] = true; \
    before[i] = before[i] | since[i]; \
    since[i] = 0; \
    view[i] = 1; \
    asks[i] = ASKS_AGAIN(i); \
    abstain[i] = ABSTENTION_AFTER_LOSS(i); \
    reported[i] = 0; \
    newest_report[i] = 1 }

#define EACH_VIEW(v) VOTE(0, v) VOTE(1, v) VOTE(2, v) FINALIZE(0, v) FINALIZE(1, v) FINALIZE(2, v) \
  ENTER(0, v) ENTER(1, v) ENTER(2, v)

init {
  d_step {
    view[0] = 1;
    view[1] = 1;
    view[2] = 1;
    newest_report[0] = 1;
    newest_report[1] = 1;
    newest_report[2] = 1;
  }
end_of_time:
  do
  EACH_VIEW(1) EACH_VIEW(2) EACH_VIEW(3)
#if VIEWS >= 4
  EACH_VIEW(4)
#endif
#if VIEWS >= 5
  EACH_VIEW(5)
#endif
  REPORT(0, 1) REPORT(0, 2) REPORT(1, 0) REPORT(1, 2) REPORT(2, 0) REPORT(2, 1)
  RESTART(0) RESTART(1) RESTART(2)
  LOSE(0) LOSE(1) LOSE(2)
  od
}
