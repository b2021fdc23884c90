/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See section_impl.h.  Errors of the library and of the window, as a driver sees them. */
#include "dev/section_impl.h"

#include <errno.h>

/* Errors that a driver sees by the same number; all else is EIO. */
static const uint32_t shown[] = {
	VMSECT_S_EPERM,	 VMSECT_S_ENOENT, VMSECT_S_ENXIO,  VMSECT_S_EBADF,	VMSECT_S_ENOMEM,
	VMSECT_S_EACCES, VMSECT_S_EBUSY,  VMSECT_S_EEXIST, VMSECT_S_EINVAL,	VMSECT_S_EFBIG,
	VMSECT_S_ENOSPC, VMSECT_S_EFAULT, VMSECT_S_EDQUOT, VMSECT_S_EOPNOTSUPP,
};

_Static_assert(VMSECT_S_EOPNOTSUPP == EOPNOTSUPP && VMSECT_S_EDQUOT == EDQUOT &&
		       VMSECT_S_EFBIG == EFBIG && VMSECT_S_ENOSPC == ENOSPC,
	       "a driver's numbers are this host's");

static uint32_t status_of(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
		return VMSECT_S_ENOMEM;
	/* No broker, none that answers, one that is not ready, or not ours any more. */
	case EPIPE:
	case ETIMEDOUT:
	case EAGAIN:
	case ESTALE:
	case EPROTO:
		return VMSECT_S_EHOSTDOWN;
	default:
		break;
	}
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (shown[i] == (uint32_t)error)
			return shown[i];
	return VMSECT_S_EIO;
}

struct section_answer section_answer_errno(int result)
{
	uint32_t status = result < 0 ? status_of(-result) : VMSECT_S_OK;

	return section_refuse(status, status == VMSECT_S_EDQUOT ? VMSECT_D_QUOTA : VMSECT_D_NONE);
}

static uint32_t detail_of(uint32_t detail)
{
	static const uint32_t details[] = {
		[VMSECT_DETAIL_NAME] = VMSECT_D_NAME,
		[VMSECT_DETAIL_ACCESS] = VMSECT_D_ACCESS,
		[VMSECT_DETAIL_PROTECTION] = VMSECT_D_PROTECTION,
		[VMSECT_DETAIL_SIZE] = VMSECT_D_SIZE,
		[VMSECT_DETAIL_ATTR] = VMSECT_D_ATTR,
		[VMSECT_DETAIL_ALIGNMENT] = VMSECT_D_ALIGNMENT,
		[VMSECT_DETAIL_VIEW_SIZE] = VMSECT_D_VIEW_SIZE,
		[VMSECT_DETAIL_HANDLE] = VMSECT_D_HANDLE,
		[VMSECT_DETAIL_RANGE] = VMSECT_D_RANGE,
		[VMSECT_DETAIL_COMMIT] = VMSECT_D_COMMIT,
		[VMSECT_DETAIL_EXTEND] = VMSECT_D_EXTEND,
		[VMSECT_DETAIL_IO] = VMSECT_D_IO,
		[VMSECT_DETAIL_REVOKED] = VMSECT_D_REVOKED,
	};

	return detail < sizeof(details) / sizeof(details[0]) ? details[detail] : VMSECT_D_NONE;
}

/* EPERM and EACCES say all that there is to say. */
struct section_answer section_answer_of(struct section_dev *dev, int result)
{
	struct section_answer answer = section_answer_errno(result);

	switch (answer.status) {
	case VMSECT_S_EIO:
		/* What has no number here: its detail would belong to another error. */
		if (result != -EIO)
			return answer;
		break;
	case VMSECT_S_ENXIO:
	case VMSECT_S_EBADF:
	case VMSECT_S_EEXIST:
	case VMSECT_S_EINVAL:
	case VMSECT_S_ENOSPC:
	case VMSECT_S_EOPNOTSUPP:
		break;
	default:
		return answer;
	}
	answer.detail = detail_of(vmsect_client_detail(dev->env.client));
	return answer;
}

struct section_answer section_answer_window(int result)
{
	switch (-result) {
	case 0:
		return SECTION_OK;
	case EINVAL:
		return section_refuse(VMSECT_S_EINVAL, VMSECT_D_RANGE);
	case ENOSPC: /* the host's slots are a limit on views */
	case E2BIG:
		return section_refuse(VMSECT_S_EDQUOT, VMSECT_D_VIEWS);
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return section_refuse(VMSECT_S_ENOMEM, VMSECT_D_NONE);
	default:
		return section_refuse(VMSECT_S_EIO, VMSECT_D_NONE);
	}
}
