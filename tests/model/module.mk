# SPDX-License-Identifier: GPL-2.0-or-later
# The models of the guest library's ring, which spin searches.

MODEL_TEST := $(B)/tests/model-ring

# As a program without arguments.
$(MODEL_TEST): tests/model/module.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nCC=%s exec tests/model/check %s\n' '$(CC)' '$(B)/model' >$@ && chmod +x $@
