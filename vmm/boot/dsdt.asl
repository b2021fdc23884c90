/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vmsect VM has and cannot be probed for: the PCI host bridge with its
 * windows and its slots, which a function can leave, the serial port, and
 * power-off.  CPUs are in the MADT.  The C
 * preprocessor puts in the numbers of mem/layout.h.
 */
#include "mem/layout.h"

/* A slot that is given up by a store to EJECT (vmm/dev/hotplug.h). */
#define SLOT(hex, number) Device (S##hex) { Name (_ADR, 0x00##hex##0000) Name (_SUN, number) \
	Method (_EJ0, 1, Serialized) { EJCT = (One << number) } }
#define GOING(hex, number) If (Local0 & (One << number)) { Notify (S##hex, 3) }

DefinitionBlock ("", "DSDT", 2, "VMSECT", "VMSECTVM", 1)
{
	/* The value that goes to the sleep control register to power off. */
	Name (_S5, Package () { LAYOUT_SLEEP_TYPE_S5, 0, 0, 0 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_BBN, 0)
			Name (_SEG, 0)
			Name (_CCA, 1)
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0, 0, 0, 0, 1)
				IO (Decode16, 0x0CF8, 0x0CF8, 1, 8)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					NonCacheable, ReadWrite,
					0, LAYOUT_PCI32_START, LAYOUT_PCI32_LAST, 0, LAYOUT_PCI32_SIZE)
				QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed,
					Prefetchable, ReadWrite,
					0, LAYOUT_PCI64_START, LAYOUT_PCI64_LAST, 0, LAYOUT_PCI64_SIZE)
			})

			OperationRegion (HOTP, SystemIO, LAYOUT_HOTPLUG_PORT, LAYOUT_HOTPLUG_PORTS)
			Field (HOTP, DWordAcc, NoLock, WriteAsZeros)
			{
				DOWN, 32,
				EJCT, 32
			}
			SLOT (01, 1)
			SLOT (02, 2)
			SLOT (03, 3)
			SLOT (04, 4)
			SLOT (05, 5)
			SLOT (06, 6)
			SLOT (07, 7)
			SLOT (08, 8)
			SLOT (09, 9)
			SLOT (0A, 10)
			SLOT (0B, 11)
			SLOT (0C, 12)
			SLOT (0D, 13)
			SLOT (0E, 14)
			SLOT (0F, 15)
			SLOT (10, 16)
			SLOT (11, 17)
			SLOT (12, 18)
			SLOT (13, 19)
			SLOT (14, 20)
			SLOT (15, 21)
			SLOT (16, 22)
			SLOT (17, 23)
			SLOT (18, 24)
			SLOT (19, 25)
			SLOT (1A, 26)
			SLOT (1B, 27)
			SLOT (1C, 28)
			SLOT (1D, 29)
			SLOT (1E, 30)
			SLOT (1F, 31)

			/* Asks for what is to go. */
			Method (GONE, 0, Serialized)
			{
				Local0 = DOWN
				GOING (01, 1)
				GOING (02, 2)
				GOING (03, 3)
				GOING (04, 4)
				GOING (05, 5)
				GOING (06, 6)
				GOING (07, 7)
				GOING (08, 8)
				GOING (09, 9)
				GOING (0A, 10)
				GOING (0B, 11)
				GOING (0C, 12)
				GOING (0D, 13)
				GOING (0E, 14)
				GOING (0F, 15)
				GOING (10, 16)
				GOING (11, 17)
				GOING (12, 18)
				GOING (13, 19)
				GOING (14, 20)
				GOING (15, 21)
				GOING (16, 22)
				GOING (17, 23)
				GOING (18, 24)
				GOING (19, 25)
				GOING (1A, 26)
				GOING (1B, 27)
				GOING (1C, 28)
				GOING (1D, 29)
				GOING (1E, 30)
				GOING (1F, 31)
			}
		}

		/* A hardware-reduced machine has no general-purpose events but these. */
		Device (GED)
		{
			Name (_HID, "ACPI0013")
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive)
				{
					LAYOUT_HOTPLUG_GSI
				}
			})
			Method (_EVT, 1, Serialized)
			{
				\_SB.PCI0.GONE ()
			}
		}

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, LAYOUT_COM1, LAYOUT_COM1, 0, 8)
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive)
				{
					LAYOUT_COM1_GSI
				}
			})
		}
	}
}
