/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of guest_driver/lib's ring (docs/memory-model.md), on x86's memory,
 * with both sides killed at any point.  Records have numbers and are two words, so
 * that a torn one shows.  Checked at each record that the consumer takes: it is
 * whole, it is the next (or the last once more, if a consumer died between its look
 * and its release), and the consumer has been told of the producer that wrote it.
 * A BUG_ macro makes one mistake; spin must find what it breaks.
 */
#define PRODUCER 0
#define CONSUMER 1
#define INDEX 0 /* + side */
#define GENERATION 2 /* + side */
#define DATA 4 /* two words for each place */
#define CAPACITY 2
#define MODULUS (2 * CAPACITY)
#define WORDS (DATA + 2 * CAPACITY)

#ifndef RECORDS
#define RECORDS 5
#endif
#ifndef KILLS
#define KILLS 2
#endif

#include "tso.inc"

#define PLACE(index) (DATA + 2 * ((index) % CAPACITY))

/* What happened, whoever knows of it. */
byte sent; /* records whose index was stored */
byte seen; /* records taken */
byte writer[RECORDS + 1]; /* the generation that wrote a record */
bool in_hand, again; /* taken and not released; may come once more */

inline fill(index, number)
{
	store(PRODUCER, PLACE(index), number);
	store(PRODUCER, PLACE(index) + 1, number)
}

inline commit()
{
	atomic {
		store(PRODUCER, INDEX + PRODUCER, PLUS(own, 1));
		sent++;
		writer[sent] = generation
	}
}

inline send()
{
#ifdef BUG_INDEX_BEFORE_DATA
	commit();
	fill(own, sent);
#elif defined(BUG_INDEX_BETWEEN_DATA)
	store(PRODUCER, PLACE(own), sent + 1);
	commit();
	store(PRODUCER, PLACE(own) + 1, sent);
#else
	fill(own, sent + 1);
	commit();
#endif
	own = PLUS(own, 1)
}

#ifdef BUG_ROOM_OFF_BY_ONE
#define HAS_ROOM (MINUS(own, peer) <= CAPACITY)
#else
#define HAS_ROOM (MINUS(own, peer) < CAPACITY)
#endif

active proctype producer()
{
	byte own, peer, generation;
restart:
	{
		atomic {
			fence(PRODUCER);
#ifdef BUG_NEW_PRODUCER_STARTS_EMPTY
			load(PRODUCER, INDEX + CONSUMER, own);
#else
			load(PRODUCER, INDEX + PRODUCER, own);
#endif
			generation++
		}
		load(PRODUCER, INDEX + CONSUMER, peer);
#ifndef BUG_COMMIT_BEFORE_GENERATION
		store(PRODUCER, GENERATION + PRODUCER, generation);
#endif
		do
		:: sent == RECORDS -> break
		:: else ->
			do
			:: HAS_ROOM -> break
			:: else ->
				atomic {
					mem[INDEX + CONSUMER] != peer ->
					load(PRODUCER, INDEX + CONSUMER, peer)
				}
			od;
			send();
#ifdef BUG_COMMIT_BEFORE_GENERATION
			store(PRODUCER, GENERATION + PRODUCER, generation)
#endif
		od
	} unless {
		killed[PRODUCER] -> killed[PRODUCER] = false; goto restart
	}
}

/* The record at the own index. */
inline take()
{
	load(CONSUMER, PLACE(own), one);
	atomic {
		load(CONSUMER, PLACE(own) + 1, two);
		assert(one == two);
		assert(one == seen + 1 || (again && one == seen));
		assert(known >= writer[one]);
		seen = one;
		again = false;
		in_hand = true;
		one = 0;
		two = 0
	}
}

inline release()
{
	atomic {
		store(CONSUMER, INDEX + CONSUMER, PLUS(own, 1));
		in_hand = false;
		own = PLUS(own, 1)
	}
}

/* ring_refresh() and the telling: afterwards `known` is what the caller knows. */
inline look()
{
#ifdef BUG_GENERATION_BEFORE_INDEX
	load(CONSUMER, GENERATION + PRODUCER, known);
	load(CONSUMER, INDEX + PRODUCER, peer)
#else
	load(CONSUMER, INDEX + PRODUCER, peer);
	load(CONSUMER, GENERATION + PRODUCER, known)
#endif
}

active proctype consumer()
{
	byte own, peer, known, one, two;
restart:
	{
		atomic {
			fence(CONSUMER);
			again = again || in_hand;
			in_hand = false;
#ifdef BUG_NEW_CONSUMER_STARTS_AT_HEAD
			load(CONSUMER, INDEX + PRODUCER, own);
#else
			load(CONSUMER, INDEX + CONSUMER, own);
#endif
			peer = own
		}
		look();
		do
		:: seen == RECORDS && !again -> break
		:: seen == RECORDS && again && peer == own -> break
		:: else ->
			do
			:: peer != own -> break
			:: peer == own && seen < RECORDS ->
				mem[INDEX + PRODUCER] != peer;
				look()
			:: peer == own && seen == RECORDS -> break
			od;
			if
			:: peer == own
			:: else ->
				assert(MINUS(peer, own) <= CAPACITY);
#ifdef BUG_RELEASE_BEFORE_READ
				release();
				own = MINUS(own, 1);
				take();
				own = PLUS(own, 1);
				in_hand = false
#else
				take();
#ifdef BUG_RELEASES_EVERY_SECOND
				if
				:: own % 2 == 0 -> own = PLUS(own, 1); in_hand = false
				:: else -> release()
				fi
#else
				release()
#endif
#endif
			fi
		od;
		assert(seen == RECORDS && sent == RECORDS)
	} unless {
		killed[CONSUMER] -> killed[CONSUMER] = false; goto restart
	}
}
