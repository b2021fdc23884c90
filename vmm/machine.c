/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * THE list of what a VM is: machine_build() makes it top to bottom,
 * machine_free() takes it down in reverse.
 */
#include "machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vmsect/vmsect.h>

#include "base/log.h"
#include "boot/boot.h"
#include "bus/bus.h"
#include "bus/pci.h"
#include "dev/console.h"
#include "dev/section_dev.h"
#include "dev/serial.h"
#include "kvm/cpuid.h"
#include "kvm/irq.h"
#include "machine_impl.h"
#include "mem/layout.h"
#include "mem/windows.h"

/* More than all vectors of the devices that fit on the bus in practice. */
#define MSI_MAX 2048u

static int failed(const char *what, int result)
{
	if (result < 0)
		log_error("cannot %s: %s", what, strerror(-result));
	return result;
}

static int add_memory(struct machine *machine)
{
	return failed("give the VM its memory",
		      guest_mem_init(&machine->mem, &machine->vm, machine->config->memory_bytes));
}

static int add_kernel(struct machine *machine)
{
	const struct config *config = machine->config;
	struct boot_source source = {
		.kernel = config->kernel,
		.initrd = config->initrd,
		.cmdline = config->cmdline,
		.cpus = config->cpus,
	};

	return boot_load(&source, &machine->mem, &machine->entry);
}

static int add_buses(struct machine *machine)
{
	int result = irq_table_new(&machine->vm, MSI_MAX, &machine->irq);

	if (result == 0)
		result = bus_new(&machine->pio);
	if (result == 0)
		result = bus_new(&machine->mmio);
	if (result == 0)
		result = pci_bus_new(machine->pio, machine->mmio, &machine->pci);
	return failed("make interrupts and buses", result);
}

static int add_power(struct machine *machine)
{
	machine->power = (struct power){ .owner = machine, .ended = machine_power_ended };
	return failed("make the power registers",
		      power_add(machine->pio, &machine->power, machine->config->debug_exit));
}

static void serial_output(void *owner, uint8_t byte)
{
	struct machine *machine = owner;

	console_output(machine->console, byte);
}

static void serial_line(void *owner, int level)
{
	struct machine *machine = owner;

	/* A line that KVM has accepted once cannot fail later. */
	(void)irq_set(machine->irq, LAYOUT_COM1_GSI, level);
}

static void serial_room(void *owner)
{
	struct machine *machine = owner;

	console_room(machine->console);
}

static size_t console_input(void *owner, const uint8_t *data, size_t bytes)
{
	struct machine *machine = owner;

	return serial_input(machine->serial, data, bytes);
}

static void console_quit(void *owner)
{
	machine_stop(owner, MACHINE_EXIT_OFF);
}

static int add_serial(struct machine *machine)
{
	const struct serial_host host = {
		.owner = machine,
		.output = serial_output,
		.line = serial_line,
		.room = serial_room,
	};
	const struct console_guest guest = {
		.owner = machine,
		.input = console_input,
		.quit = console_quit,
	};
	int result = serial_new(&host, &machine->serial);

	if (result == 0)
		result = bus_add(machine->pio, LAYOUT_COM1, SERIAL_PORTS, &serial_bus_ops,
				 machine->serial);
	if (result < 0)
		return failed("make the serial port", result);
	return console_new(machine->events, machine->config->serial, &guest, &machine->console);
}

static int add_window(struct machine *machine)
{
	int result = windows_new(&machine->vm, &machine->windows);
	struct window *window;

	if (result == 0)
		result = windows_add(machine->windows, machine->config->window_bytes, &window);
	return failed("reserve the window", result);
}

static int add_broker(struct machine *machine)
{
	const struct config *config = machine->config;
	struct vmsect_connect_options options = {
		.size = sizeof(options),
		.socket_path = config->socket,
		.name = config->name,
		.is_vm = 1,
		.cpus = config->cpus,
		.memory_bytes = config->memory_bytes,
		.reconnect_ms = -1, /* the loop waits for a new broker, no call does */
	};

	if (!config->broker)
		return 0;
	return failed("connect to the broker", vmsect_connect(&options, &machine->client));
}

static void over_quota(void *owner)
{
	log_error("the VM is stopped: it has copied more on write than it may");
	machine_stop(owner, MACHINE_EXIT_QUOTA);
}

static int add_section_device(struct machine *machine)
{
	const struct config *config = machine->config;
	const struct section_dev_env env = {
		.vm = &machine->vm,
		.mem = &machine->mem,
		.irq = machine->irq,
		.mmio = machine->mmio,
		.pci = machine->pci,
		.windows = machine->windows,
		.window = windows_get(machine->windows, 0),
		.events = machine->events,
		.client = machine->client,
		.policy = {
			.allow_create = config->allow_create,
			.create_bytes = config->create_bytes,
			.cow_quota = config->cow_quota,
			.stop = config->cow_stop ? over_quota : NULL,
			.owner = machine,
		},
	};
	const struct section_attach_list attach = { config->sections, config->section_count };
	char text[CONFIG_ERROR_BYTES] = "";
	const struct section_error error = { text, sizeof(text) };
	int result = section_dev_new(&env, &attach, &error, &machine->section_dev);

	if (result < 0)
		log_error("section device: %s", text);
	return result;
}

static int setup_vcpu(struct machine *machine, struct vcpu *vcpu, uint32_t index)
{
	struct cpuid_place place = { .cpus = machine->config->cpus, .index = index };
	struct cpuid_table cpuid;
	int result = cpuid_supported(&machine->vm, &cpuid, &place.tsc_deadline);

	if (result < 0)
		return result;
	cpuid_for(&cpuid, &place);
	result = vcpu_set_cpuid(vcpu, &cpuid);
	return result < 0 ? result : vcpu_set_msrs(vcpu);
}

static int set_entry(struct machine *machine)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int result = vcpu_get_sregs(machine->vcpus[0], &sregs);

	if (result < 0)
		return result;
	entry_registers(&machine->entry, &sregs, &regs);
	return vcpu_set_registers(machine->vcpus[0], &sregs, &regs);
}

static int add_vcpus(struct machine *machine)
{
	int result = vcpu_signal_setup();

	for (uint32_t i = 0; result == 0 && i < machine->config->cpus; i++) {
		struct vcpu *vcpu = NULL;

		result = vcpu_new(&machine->vm, i, &machine_vcpu_ops, machine, &vcpu);
		if (result < 0)
			break;
		machine->vcpus[machine->vcpu_count++] = vcpu;
		result = setup_vcpu(machine, vcpu, i);
	}
	if (result == 0)
		result = set_entry(machine);
	return failed("make the virtual CPUs", result);
}

static int add_watch(struct machine *machine)
{
	return failed("watch the virtual CPUs", machine_watch_init(machine));
}

static int add_loop(struct machine *machine)
{
	return failed("make the event loop", machine_loop_init(machine));
}

static int add_vm(struct machine *machine)
{
	return vm_init(&machine->vm);
}

static int machine_build(struct machine *machine)
{
	static int (*const parts[])(struct machine * machine) = {
		add_loop, /* event loop and signals */
		add_vm, /* KVM, interrupt controllers */
		add_memory, /* RAM */
		add_kernel, /* kernel, initrd, ACPI tables in it */
		add_buses, /* interrupt routes, port, MMIO and PCI bus */
		add_power, /* power-off, reset, debug exit */
		add_serial, /* COM1 and its console */
		add_window, /* where sections appear */
		add_broker, /* the connection to vmsectd */
		add_section_device, /* PCI function 1af4:107f and the attachments */
		machine_devices_init, /* PCI functions of sections that have their own */
		add_vcpus, /* CPUID, MSRs, registers at the entry */
		add_watch, /* vCPUs that are stuck on lost pages */
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int result = parts[i](machine);

		if (result < 0)
			return result;
	}
	return 0;
}

int machine_new(const struct config *config, struct machine **ret_machine)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	int result;

	if (!machine)
		return failed("make a machine", -ENOMEM);
	machine->config = config;
	machine->vm = (struct vm)VM_EMPTY;
	machine->stop_fd = -1;
	atomic_init(&machine->exit_code, MACHINE_RUNS);
	result = machine_build(machine);
	if (result < 0) {
		(void)machine_free(machine);
		return result;
	}
	*ret_machine = machine;
	return 0;
}

struct machine *machine_free(struct machine *machine)
{
	if (!machine)
		return NULL;
	machine_watch_deinit(machine);
	while (machine->vcpu_count > 0)
		(void)vcpu_free(machine->vcpus[--machine->vcpu_count]);
	machine_devices_deinit(machine);
	(void)section_dev_free(machine->section_dev);
	(void)vmsect_client_free(machine->client);
	(void)windows_free(machine->windows);
	(void)console_free(machine->console);
	(void)serial_free(machine->serial);
	(void)pci_bus_free(machine->pci);
	(void)bus_free(machine->mmio);
	(void)bus_free(machine->pio);
	(void)irq_table_free(machine->irq);
	guest_mem_deinit(&machine->mem);
	vm_deinit(&machine->vm);
	machine_loop_deinit(machine);
	free(machine);
	return NULL;
}
