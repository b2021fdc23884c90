/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See vcpu_exit.h: a table with one small function for each exit reason.
 *
 * Nothing here enters the guest again without a change: an exit either
 * completes the guest's access, or gives the vCPU an exception, or ends it.
 * Entries that fail for a lost backing are bounded by FRUITLESS_MAX.
 */
#include "kvm/vcpu_exit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kvm/kvm_sys.h"

/*
 * Two vCPUs may fail on one page: the one that finds it mended tries again
 * without having mended anything.
 */
#define FRUITLESS_MAX 16u

#define VECTOR_GP 13
#define PORT_BYTES_MAX 4u
#define MMIO_BYTES_MAX 8u
#define CODE_BYTES_MAX 15u

static uint64_t vcpu_rip(const struct vcpu_context *context)
{
	struct kvm_regs regs;

	return kvm_ioctl(context->fd, KVM_GET_REGS, &regs) < 0 ? 0 : regs.rip;
}

static enum vcpu_verdict exit_port(struct vcpu_context *context)
{
	struct kvm_run *run = context->run;
	bool is_write = run->io.direction == KVM_EXIT_IO_OUT;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t bytes = run->io.size;

	if (bytes == 0 || bytes > PORT_BYTES_MAX)
		return VCPU_FAILED;
	for (uint32_t i = 0; i < run->io.count; i++)
		context->ops->port(context->owner, run->io.port, data + (size_t)i * bytes, bytes,
				   is_write);
	return VCPU_GO_ON;
}

static enum vcpu_verdict exit_memory(struct vcpu_context *context)
{
	struct kvm_run *run = context->run;

	if (run->mmio.len == 0 || run->mmio.len > MMIO_BYTES_MAX)
		return VCPU_FAILED;
	context->ops->memory(context->owner, run->mmio.phys_addr, run->mmio.data, run->mmio.len,
			     run->mmio.is_write);
	return VCPU_GO_ON;
}

static enum vcpu_verdict exit_crash(struct vcpu_context *context)
{
	log_error("vCPU %u: triple fault at rip %#" PRIx64, context->index, vcpu_rip(context));
	return VCPU_CRASHED;
}

/* The instruction bytes as hex, as far as KVM gives them. */
static void code_text(const struct kvm_run *run, char *text, size_t room)
{
	size_t used = 0;
	uint32_t size = run->emulation_failure.insn_size;

	text[0] = '\0';
	if (run->internal.ndata < 3 ||
	    !(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		return;
	if (size > CODE_BYTES_MAX)
		size = CODE_BYTES_MAX;
	for (uint32_t i = 0; i < size && used + 4 < room; i++)
		used += (size_t)snprintf(text + used, room - used, " %02x",
					 run->emulation_failure.insn_bytes[i]);
}

static void log_undecodable(struct vcpu_context *context)
{
	char code[4 * CODE_BYTES_MAX];
	uint64_t dropped;

	if (!log_allowed(&context->limit, &dropped))
		return;
	code_text(context->run, code, sizeof(code));
	log_warning("vCPU %u: no emulation for%s at rip %#" PRIx64 ": given #GP (%" PRIu64
		    " such lines dropped)",
		    context->index, code, vcpu_rip(context), dropped);
}

/*
 * Instead of the access the vCPU gets #GP(0).  KVM may have queued #UD, which
 * this replaces; any other pending exception would have come first.
 */
static int inject_gp(struct vcpu_context *context)
{
	struct kvm_vcpu_events events;
	int result = kvm_ioctl(context->fd, KVM_GET_VCPU_EVENTS, &events);

	if (result < 0)
		return result;
	memset(&events.exception, 0, sizeof(events.exception));
	events.exception.injected = 1;
	events.exception.nr = VECTOR_GP;
	events.exception.has_error_code = 1;
	return kvm_ioctl(context->fd, KVM_SET_VCPU_EVENTS, &events);
}

static enum vcpu_verdict exit_internal(struct vcpu_context *context)
{
	uint32_t suberror = context->run->internal.suberror;
	int result;

	if (suberror != KVM_INTERNAL_ERROR_EMULATION) {
		log_error("vCPU %u: KVM internal error %u at rip %#" PRIx64, context->index,
			  suberror, vcpu_rip(context));
		return VCPU_FAILED;
	}
	log_undecodable(context);
	context->ops->undecodable(context->owner);
	result = inject_gp(context);
	if (result < 0) {
		log_error("vCPU %u: cannot inject an exception: %s", context->index,
			  strerror(-result));
		return VCPU_FAILED;
	}
	return VCPU_GO_ON;
}

static enum vcpu_verdict exit_entry_failed(struct vcpu_context *context)
{
	log_error("vCPU %u: the hardware refuses to enter the guest (reason %#" PRIx64
		  ") at rip %#" PRIx64,
		  context->index, (uint64_t)context->run->fail_entry.hardware_entry_failure_reason,
		  vcpu_rip(context));
	return VCPU_FAILED;
}

/* Exits without content: the guest is simply entered again. */
static enum vcpu_verdict exit_nothing(struct vcpu_context *context)
{
	(void)context;
	return VCPU_GO_ON;
}

static const struct {
	uint32_t reason;
	enum vcpu_verdict (*handle)(struct vcpu_context *context);
} exit_table[] = {
	{ KVM_EXIT_MMIO, exit_memory },
	{ KVM_EXIT_IO, exit_port },
	{ KVM_EXIT_INTR, exit_nothing },
	{ KVM_EXIT_IRQ_WINDOW_OPEN, exit_nothing },
	{ KVM_EXIT_INTERNAL_ERROR, exit_internal },
	{ KVM_EXIT_SHUTDOWN, exit_crash },
	{ KVM_EXIT_FAIL_ENTRY, exit_entry_failed },
};

enum vcpu_verdict vcpu_handle_exit(struct vcpu_context *context)
{
	uint32_t reason = context->run->exit_reason;

	context->fruitless = 0;
	for (size_t i = 0; i < sizeof(exit_table) / sizeof(exit_table[0]); i++)
		if (exit_table[i].reason == reason)
			return exit_table[i].handle(context);
	log_error("vCPU %u: unexpected exit %u at rip %#" PRIx64, context->index, reason,
		  vcpu_rip(context));
	return VCPU_FAILED;
}

enum vcpu_verdict vcpu_handle_error(struct vcpu_context *context, int error)
{
	if (error == EFAULT || error == EHWPOISON) {
		if (context->ops->mend(context->owner)) {
			context->fruitless = 0;
			return VCPU_GO_ON;
		}
		if (++context->fruitless < FRUITLESS_MAX)
			return VCPU_GO_ON;
		log_error("vCPU %u: memory access at rip %#" PRIx64
			  " fails (%s) and no view has lost its backing",
			  context->index, vcpu_rip(context), strerror(error));
		return VCPU_FAILED;
	}
	log_error("vCPU %u: KVM_RUN at rip %#" PRIx64 ": %s", context->index, vcpu_rip(context),
		  strerror(error));
	return VCPU_FAILED;
}
