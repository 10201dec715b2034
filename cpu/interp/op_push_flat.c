/* SPDX-License-Identifier: BSD-2-Clause */
/* The handlers of op_push.c for flat segments. */
#define OP_FLAT
#include "cpu/interp/op_push.c"
