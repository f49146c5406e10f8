/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a device has no update, or waits with one: the words of `why_code`,
 * `code` and `wait` in the API. Their one home: the server's enum and
 * its names are made from the first list, docs/CODES.md from all.
 */
#ifndef HOST_WHY_H
#define HOST_WHY_H

/* X(NAME, "word", "what it means", "what to do"): the verdicts of
 * server/rollout.c, in the order of their enum. */
#define WHY_LIST(X)                                                           \
    X(NOTHING, "nothing", "no rollout wants anything of it",                  \
      "nothing; or start a rollout")                                          \
    X(OFFER, "offer",                                                         \
      "an update is offered; the device asks for it, waits "                  \
      "with it or installs it",                                               \
      "nothing: see its state")                                               \
    X(RUNS, "runs", "it runs what it should", "nothing")                      \
    X(STAGE, "stage", "its place is in a later stage of the rollout",         \
      "wait, or bowline rollout advance")                                     \
    X(PAUSE, "paused", "the rollout is paused",                               \
      "read why in bowline rollout status; then bowline rollout resume")      \
    X(TRIED, "tried",                                                         \
      "it returned from, could not install or refused this "                  \
      "release",                                                              \
      "look up the code that it gave; then bowline rollout retry")            \
    X(NEWER, "newer", "it runs, or has tried, something newer",               \
      "nothing; to lead it back: bowline device rollback")                    \
    X(TRIAL, "trial", "the image it runs is still on trial",                  \
      "wait until it confirms or returns")                                    \
    X(FLOOR, "floor",                                                         \
      "its anti-rollback floor is above the release's "                       \
      "sequence number",                                                      \
      "release it again, under a new version")                                \
    X(TARGET, "target", "the rollout's query or lists leave it out",          \
      "nothing; or another rollout for it")                                   \
    X(CHANNEL, "channel", "release or rollout are for another channel",       \
      "bowline release promote, or bowline device set --channel")             \
    X(WINDOW, "window", "its window is closed",                               \
      "wait; the answer says when it opens")                                  \
    X(RATE, "rate", "as many devices were offered it in this hour as may",    \
      "wait, or bowline rollout set --rate")                                  \
    X(DOWNLOADS, "downloads", "as many devices download as may at once",      \
      "wait, or bowline rollout set --max-downloads")                         \
    X(QUARANTINE, "quarantine",                                               \
      "it failed several times and is left alone "                            \
      "for a time",                                                           \
      "look at its events; bowline rollout retry ends it")                    \
    X(PERMIT, "permit", "the way back needs a permit",                        \
      "make it: bowline rollout return")                                      \
    X(MINIMUM, "minimum", "it runs less than the release can follow",         \
      "roll a version between out first, marked as a stepping stone")         \
    X(UNAPPROVED, "approval", "the rollout waits for approval",               \
      "somebody else: bowline rollout approve")                               \
    X(NOT_YET, "scheduled", "the rollout's start time has not come", "wait")

/* Before any verdict. */
#define WHY_UNSEEN "unseen"
#define WHY_SILENT "silent"
#define WHY_MORE_LIST(X)                                                      \
    X(UNSEEN, WHY_UNSEEN, "it is registered and has never asked",             \
      "start it; its log says why it does not reach the server")              \
    X(SILENT, WHY_SILENT,                                                     \
      "an update is under way, and it has not asked for far longer than "     \
      "that takes",                                                           \
      "look at its power and network; its log says status 401 when its "      \
      "token is not known")

/* X(number of bl_wait, ...): what a device says that it waits for. */
#define WHY_WAIT_LIST(X)                                                      \
    X(1, "window", "the plan's window closed before it began",                \
      "wait until it opens")                                                  \
    X(2, "consent", "somebody at the device must agree",                      \
      "ask the people there, or set a deadline for the rollout")              \
    X(3, "battery", "too little battery", "charge it")                        \
    X(4, "network",                                                           \
      "its link is metered or roaming, and the plan does not "                \
      "allow that",                                                           \
      "wait for a better link, or allow it in the plan")

#endif
