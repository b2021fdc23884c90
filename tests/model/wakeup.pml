/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sleep and wake-up of guest_driver/lib's ring (docs/memory-model.md), on x86's
 * memory, with both sides killed at any point.  Sleepers have no second look here:
 * when nobody can go on, a sleeper that has something to do was not woken.  A BUG_ macro takes one step of the protocol away or puts it
 * at the wrong place; spin must find what that breaks.
 */
#define PRODUCER 0
#define CONSUMER 1
#define INDEX 0 /* + side */
#define WAKE 2 /* + side */
#define GENERATION 4 /* + side */
#define WORDS 6

#ifndef CAPACITY
#define CAPACITY 2
#endif
#define MODULUS (2 * CAPACITY)
#ifndef RECORDS
#define RECORDS 5
#endif
#ifndef KILLS
#define KILLS 1
#endif

#include "tso.inc"

#define PEER(me) (1 - (me))

bool bell[2]; /* level-triggered */
byte done[2]; /* records that the own index stands for, without its modulus */

bool over; /* nobody can go on: for ever, as there is no second look */

bool lost_wakeup;

/* A sleeper that should not: there is a record, or room, or news of the peer. */
#define LOST(me) \
	((me) == CONSUMER && done[PRODUCER] != done[CONSUMER] || \
	 (me) == PRODUCER && done[PRODUCER] - done[CONSUMER] < CAPACITY || \
	 mem[GENERATION + PEER(me)] != peer_generation)

active proctype clock()
{
end:
	timeout -> over = true
}

/* notify(): a system call. */
inline ring(me)
{
	atomic {
		buffer[me].count == 0 -> bell[PEER(me)] = true
	}
}

/* Rings if the peer's wish is this index.  What is local goes with the load. */
inline ask(me, index)
{
	atomic {
		load(me, WAKE + PEER(me), wake);
		if
		:: wake == index -> wake = 0; ring(me)
		:: else -> wake = 0
		fi
	}
}

/* ring_publish(): the own index, which was `own`, moves by one record. */
inline publish(me)
{
#ifdef BUG_RING_BEFORE_INDEX
	ask(me, own);
#endif
	atomic {
		store(me, INDEX + me, PLUS(own, 1));
		done[me]++
	}
#ifdef BUG_NO_FENCE_COMMIT
	if
	:: me == CONSUMER -> fence(me)
	:: else
	fi;
#elif defined(BUG_NO_FENCE_RELEASE)
	if
	:: me == PRODUCER -> fence(me)
	:: else
	fi;
#else
	fence(me);
#endif
#ifndef BUG_RING_BEFORE_INDEX
#ifdef BUG_WAKE_OFF_BY_ONE
	ask(me, PLUS(own, 1));
#else
	/* new - wake - 1 < new - old, which is 1 */
	ask(me, own);
#endif
#endif
	own = PLUS(own, 1)
}

/* ring_refresh() */
inline look(me)
{
	load(me, INDEX + PEER(me), peer);
	load(me, GENERATION + PEER(me), peer_generation)
}

inline arm(me)
{
#ifdef BUG_WISH_TOO_LATE
	if
	:: me == CONSUMER -> store(me, WAKE + me, PLUS(own, 1))
	:: else -> store(me, WAKE + me, MINUS(own, 1))
	fi
#else
	if
	:: me == CONSUMER -> store(me, WAKE + me, own)
	:: else -> store(me, WAKE + me, MINUS(own, CAPACITY / 2 + 1))
	fi
#endif
}

/* vmsect_ring_wait(), a turn of it; `ready` is what it waits for. */
inline wait(me, ready)
{
#ifdef BUG_WISH_AFTER_LOOK
	look(me);
	if
	:: ready
	:: else ->
		arm(me);
		fence(me);
#else
	arm(me);
#if !(defined(BUG_NO_FENCE_SLEEP_CONSUMER) || defined(BUG_NO_FENCE_SLEEP_PRODUCER))
	fence(me);
#elif defined(BUG_NO_FENCE_SLEEP_CONSUMER)
	if
	:: me == PRODUCER -> fence(me)
	:: else
	fi;
#else
	if
	:: me == CONSUMER -> fence(me)
	:: else
	fi;
#endif
#ifndef BUG_NO_SECOND_LOOK
	look(me);
#endif
	if
	:: ready
	:: else ->
#endif
#ifdef BUG_SILENCE_BEFORE_SLEEP
		bell[me] = false;
#endif
		/* The bell's wait(): stores reach memory while it sleeps. */
		if
		:: atomic {
				bell[me] -> bell[me] = false
			}
			look(me)
		:: over ->
			lost_wakeup = LOST(me);
			assert(!lost_wakeup);
			goto finished
		fi
	fi;
	/* ring_disarm() */
	store(me, WAKE + me, MINUS(peer, 1))
}

/* vmsect_ring_attach(): after what the dead one had stored has reached memory. */
inline attach(me)
{
	atomic {
		fence(me);
		/* Nobody else writes these two. */
		load(me, INDEX + me, own);
		load(me, GENERATION + me, generation);
		generation = (generation + 1) | 1
	}
	load(me, INDEX + PEER(me), peer);
	load(me, GENERATION + PEER(me), peer_generation);
	store(me, WAKE + me, MINUS(peer, 1));
	store(me, GENERATION + me, generation);
#ifdef BUG_NO_BELL_AT_ATTACH
	skip
#else
	ring(me)
#endif
}

/* vmsect_ring_detach() */
inline detach(me)
{
#ifdef BUG_BELL_BEFORE_LEAVING
	ring(me);
	store(me, GENERATION + me, generation + 1)
#else
	store(me, GENERATION + me, generation + 1);
#ifndef BUG_NO_BELL_AT_DETACH
	ring(me)
#else
	skip
#endif
#endif
}

#define HAS_ROOM (MINUS(own, peer) < CAPACITY)
#define HAS_RECORD (peer != own)
#define HAS_LEFT (peer_generation != 0 && peer_generation % 2 == 0)

active proctype producer()
{
	byte own, peer, wake, generation, peer_generation;
restart:
	{
		attach(PRODUCER);
		do
		:: done[PRODUCER] == RECORDS -> break
		/* Has no more to say, and stays. */
		:: done[PRODUCER] == RECORDS -> goto finished
		:: done[PRODUCER] < RECORDS ->
			look(PRODUCER);
			do
			:: HAS_ROOM -> break
			:: else -> wait(PRODUCER, HAS_ROOM)
			od;
			assert(MINUS(own, peer) < CAPACITY);
			publish(PRODUCER)
		od;
		detach(PRODUCER)
	} unless {
		killed[PRODUCER] -> killed[PRODUCER] = false; goto restart
	};
finished:
	skip
}

active proctype consumer()
{
	byte own, peer, wake, generation, peer_generation;
restart:
	{
		attach(CONSUMER);
		do
		:: done[CONSUMER] == RECORDS && HAS_LEFT -> break
		:: else ->
			look(CONSUMER);
			if
			:: HAS_RECORD ->
				assert(done[CONSUMER] < done[PRODUCER]);
				publish(CONSUMER)
			:: !HAS_RECORD && !HAS_LEFT -> wait(CONSUMER, HAS_RECORD || HAS_LEFT)
			/* It left, and what it left is taken; or a successor comes. */
			:: !HAS_RECORD && HAS_LEFT && done[CONSUMER] < RECORDS ->
				wait(CONSUMER, HAS_RECORD || !HAS_LEFT)
			:: !HAS_RECORD && HAS_LEFT && done[CONSUMER] == RECORDS -> break
			fi
		od;
		detach(CONSUMER)
	} unless {
		killed[CONSUMER] -> killed[CONSUMER] = false; goto restart
	};
finished:
	skip
}

