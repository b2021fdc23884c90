/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vmsect VM has and cannot be probed for: the PCI host bridge with its
 * windows, the serial port, and power-off.  CPUs are in the MADT.  The C
 * preprocessor puts in the numbers of mem/layout.h.
 */
#include "mem/layout.h"

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
