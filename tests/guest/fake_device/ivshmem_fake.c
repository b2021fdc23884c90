// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An ivshmem-plain device in software, on a PCI bus of its own (domain 1), inside the
 * guest itself: one that can be wrong in ways in which QEMU's never is.
 *
 * Its memory is RAM that the kernel was told not to use (mem=).  Parameters:
 *     start, bytes  the RAM
 *     revision      of the device
 *     bar0, bar2    sizes of its base address registers, a power of two; 0: none
 *     prefetchable=0  BAR 2 is not prefetchable
 *     position      the peer number in its register
 *     pulled=1      at any time: the device does not answer any more
 *
 * What is written to its configuration is kept as a device would; nobody else
 * touches it.  The PCI core calls under its own lock.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>

#define FAKE_DOMAIN 1
#define CONFIG_BYTES 256
#define REG_POSITION 8

static ulong start;
module_param(start, ulong, 0444);
static ulong bytes = 16UL << 20;
module_param(bytes, ulong, 0444);
static uint revision = 1;
module_param(revision, uint, 0444);
static uint bar0 = 256;
module_param(bar0, uint, 0444);
static uint bar2 = 2U << 20;
module_param(bar2, uint, 0444);
static bool prefetchable = true;
module_param(prefetchable, bool, 0444);
static uint position;
module_param(position, uint, 0444);
static bool pulled;
module_param(pulled, bool, 0644);

static u8 config[CONFIG_BYTES];
static struct resource memory = { .name = "ivshmem_fake", .flags = IORESOURCE_MEM };
static struct pci_sysdata sysdata = { .domain = FAKE_DOMAIN, .node = NUMA_NO_NODE };
static struct pci_bus *root;

static void config_set(int where, int size, u32 value)
{
	const __le32 little = cpu_to_le32(value);

	memcpy(config + where, &little, size);
}

static u32 config_get(int where, int size)
{
	__le32 little = 0;

	memcpy(&little, config + where, size);
	return le32_to_cpu(little);
}

static void config_reset(void)
{
	memset(config, 0, sizeof(config));
	config_set(PCI_VENDOR_ID, 2, PCI_VENDOR_ID_REDHAT_QUMRANET);
	config_set(PCI_DEVICE_ID, 2, 0x1110);
	config_set(PCI_REVISION_ID, 1, revision);
	config_set(PCI_CLASS_DEVICE, 2, PCI_CLASS_MEMORY_RAM);
	config_set(PCI_BASE_ADDRESS_2, 4, prefetchable ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0);
}

static bool answers(unsigned int devfn, int where, int size)
{
	return !devfn && !READ_ONCE(pulled) && where >= 0 && where + size <= CONFIG_BYTES;
}

static int config_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value)
{
	if (!answers(devfn, where, size)) {
		*value = ~0U;
		return PCIBIOS_DEVICE_NOT_FOUND;
	}
	*value = config_get(where, size);
	return PCIBIOS_SUCCESSFUL;
}

/* Address bits below a register's size stay zero; what it is stays as it was. */
static void write_bar(int where, u32 size, u32 value)
{
	u32 kind = config_get(where, 4) & ~(u32)PCI_BASE_ADDRESS_MEM_MASK;

	config_set(where, 4, size ? (value & ~(size - 1) & PCI_BASE_ADDRESS_MEM_MASK) | kind : 0);
}

static int config_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 value)
{
	if (!answers(devfn, where, size))
		return PCIBIOS_DEVICE_NOT_FOUND;
	if (where == PCI_BASE_ADDRESS_0 && size == 4)
		write_bar(where, bar0, value);
	else if (where == PCI_BASE_ADDRESS_2 && size == 4)
		write_bar(where, bar2, value);
	else if (where == PCI_COMMAND)
		config_set(where, 2, value & (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops ops = { .read = config_read, .write = config_write };

/* The registers are memory: the number is there before anybody looks. */
static int registers_fill(struct pci_bus *bus)
{
	struct pci_dev *pdev = pci_get_slot(bus, 0);
	void __iomem *regs;

	if (!pdev)
		return -ENODEV;
	if (pci_resource_len(pdev, 0) > REG_POSITION && pci_resource_start(pdev, 0)) {
		regs = ioremap(pci_resource_start(pdev, 0), pci_resource_len(pdev, 0));
		if (regs) {
			writel(position, regs + REG_POSITION);
			iounmap(regs);
		}
	}
	pci_dev_put(pdev);
	return 0;
}

static void bus_remove(void)
{
	pci_lock_rescan_remove();
	pci_stop_root_bus(root);
	pci_remove_root_bus(root);
	pci_unlock_rescan_remove();
	release_resource(&memory);
}

static int __init fake_init(void)
{
	LIST_HEAD(resources);
	int err;

	config_reset();
	memory.start = start;
	memory.end = start + bytes - 1;
	err = request_resource(&iomem_resource, &memory);
	if (err)
		return err;
	pci_add_resource(&resources, &memory);
	root = pci_create_root_bus(NULL, 0, &ops, &sysdata, &resources);
	if (!root) {
		pci_free_resource_list(&resources);
		release_resource(&memory);
		return -ENOMEM;
	}
	pci_lock_rescan_remove();
	pci_scan_child_bus(root);
	pci_assign_unassigned_bus_resources(root);
	err = registers_fill(root);
	if (!err)
		pci_bus_add_devices(root);
	pci_unlock_rescan_remove();
	if (err)
		bus_remove();
	return err;
}
module_init(fake_init);

static void __exit fake_exit(void)
{
	bus_remove();
}
module_exit(fake_exit);

MODULE_DESCRIPTION("an ivshmem device in software, for tests");
MODULE_LICENSE("GPL");
