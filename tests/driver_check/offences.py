# SPDX-License-Identifier: MIT
"""The offences that the offender knows: which rule catches each, and which others may.

Where a second rule looks at the same thing on another way, it is listed with the reason.
"""

WALK = {"L3.state.walk": "the random walk passes by every state"}

OFFENCES = {
    # level 1
    "load_crashes": "L1.load.opens", "load_hangs": "L1.load.opens", "load_exits": "L1.load.opens",
    "load_slow": "L1.load.quick", "load_signal": "L1.load.signals",
    "load_realtime_signal": "L1.load.signals",
    "load_umask": "L1.load.surroundings", "load_environment": "L1.load.surroundings",
    "load_descriptor": "L1.load.descriptors", "load_thread": "L1.load.threads",
    "load_output": "L1.load.output", "table_without_execute": "L1.entry.table",
    "entry_any_version": "L1.entry.versions", "entry_same_minor": "L1.entry.versions",
    "entry_changes": "L1.entry.again",
    "entry_needs_host": "L1.entry.short_host", "entry_needs_error": "L1.entry.error",
    "extension_prefix": "L1.table.extension", "info_without_schemes": "L1.table.info",
    "options_undocumented": "L1.table.options", "env_descriptor": "L1.env.many",
    "env_calls_log": "L1.env.short_host", "env_silent": "L1.env.services",
    # level 2
    "source_never": "L2.source.creates", "options_own_default": "L2.options.defaults",
    "options_any_key": "L2.options.unknown", "options_any_value": "L2.options.bad_value",
    "options_twice": "L2.options.twice", "options_buffer": "L2.options.hostile",
    "options_secret": "L2.options.secret", "options_required": "L2.options.required",
    "source_opens": "L2.source.no_io", "source_any_bit": "L2.source.must_understand",
    "source_reads_on": "L2.source.sizes_in", "source_writes_on": "L2.source.sizes_out",
    "source_touches": "L2.source.outputs", "error_needed": "L2.error.absent",
    "error_text": "L2.error.text", "error_flag": "L2.error.truncated",
    "error_writes_on": "L2.error.sizes", "canceller_alone": "L2.canceller.alone",
    "open_aborted": "L2.open.aborted", "open_too_late": "L2.open.too_late",
    "open_any_bit": "L2.open.must_understand",
    # level 3
    "session_never": "L3.session.opens", "close_commits": "L3.session.closes",
    "state_slow": "L3.state.quick", "ping_unsure": "L3.ping.answers",
    "ping_any_depth": "L3.ping.unknown", "ping_fails": "L3.ping.dead",
    "ping_too_late": "L3.ping.too_late", "ping_late_usable": "L3.ping.too_late",
    "native_any": "L3.caps.unclaimed",
    "session_descriptor": "L3.process.descriptors", "session_thread": "L3.process.threads",
    "session_signal": "L3.process.changes", "session_output": "L3.process.output",
    "session_inherited": "L3.process.inherited", "env_global": "L3.env.apart",
    "call_reads_on": "L3.sizes.call", "args_read_on": "L3.sizes.exec_args",
    "text_reads_on": "L3.sizes.params", "begin_reads_on": "L3.sizes.begin_args",
    "open_reads_on": "L3.sizes.open_args", "out_writes_on": "L3.sizes.exec_out",
    "batch_writes_on": "L3.sizes.batch", "state_writes_on": "L3.sizes.state",
    "prepare_writes_on": "L3.sizes.prepare_out", "many_writes_on": "L3.sizes.many",
    "call_any_bit": "L3.call.must_understand", "empty_ok": "L3.statement.empty",
    "nul_cut": "L3.statement.nul", "two_first": "L3.statement.two",
    "late_prepare": "L3.statement.too_late", "params_ignored": "L3.params.count",
    "params_any_type": "L3.params.types", "syntax_broken": "L3.error.syntax",
    "kind_other": "L3.error.kinds", "kind_differs": "L3.error.facts",
    "sqlstate_lower": "L3.error.sqlstate", "execute_touches": "L3.error.outputs",
    "value_narrow": "L3.values.exact", "value_cut": "L3.values.large",
    "prepare_once": "L3.prepare.again", "prepare_shared": "L3.prepare.elsewhere",
    "many_affected": "L3.many.counts", "many_row": "L3.many.failing_row",
    "many_not_sent": "L3.many.failing_row",
    "small_result": "L3.rows.small", "rows_lost": "L3.rows.complete",
    "rows_unbounded": "L3.rows.bounded", "rows_one_batch": "L3.rows.one_batch",
    "rows_unwanted": "L3.rows.unwanted", "rows_undescribed": "L3.rows.none",
    "columns_nameless": "L3.rows.columns", "rows_scribbled": "L3.rows.lent",
    "rows_borrow": "L3.rows.parameters", "result_not_blocking": "L3.result.blocks",
    "state_no_result": ("L3.result.state", WALK), "close_costs": ("L3.result.closes_early",
                    {**WALK, "L3.caps.unclaimed": "its look at next_set closes a result early"}),
    "tx_stays_open": ("L3.tx.machine", WALK), "tx_nested_fate": "L3.tx.nested",
    "rollback_idle": ("L3.tx.rollback_idle", WALK), "commit_idle": "L3.tx.commit_idle",
    "commit_loses": "L3.tx.commits", "rollback_keeps": "L3.tx.rolls_back",
    "tx_any_isolation": "L3.tx.no_downgrade", "tx_writes": "L3.tx.read_only",
    "tx_by_statement": "L3.tx.by_statement", "half_way_keeps": "L3.statement.half_way",
    "tx_forgotten": "L3.state.walk", "state_never_dirty": "L3.state.dirty",
    "reset_stays_dirty": "L3.reset.says_clean", "reset_keeps": "L3.reset.cleans",
    "reset_keeps_tx": ("L3.reset.ends_tx", WALK), "reset_keeps_result": "L3.reset.ends_result",
    "reset_any_level": "L3.reset.unknown", "reset_silent": "L3.reset.statements",
    # level 4
    "deadline_late": "L4.deadline.late", "deadline_early": "L4.deadline.early",
    "deadline_stage": "L4.deadline.facts", "waits_elsewhere": "L4.wait.host",
    "cancel_ignored": "L4.cancel.running", "cancel_locks": "L4.cancel.inside",
    "cancel_sticky": "L4.cancel.no_other", "cancel_late": "L4.cancel.swept",
    "abort_slow": "L4.abort.running", "abort_usable": "L4.abort.for_good",
    "abort_wakes": "L4.abort.after_close", "abort_locks": "L4.abort.inside",
    "abort_races": "L4.abort.racing", "abandon_crashes": "L4.fork.abandon",
    "eintr_lost": "L4.signals.storm", "descriptors_internal": "L4.descriptors.none",
    # level 5
    "leak_session": "L5.flat.sessions", "leak_failed_open": "L5.flat.failed_opens",
    "leak_statement": "L5.flat.statements", "threads_exclude": "L5.threads.own_sessions",
    "thread_affine": ("L5.threads.wander",
                      {"L5.threads.short": "its session goes from thread to thread as well"}),
    "detach_leaks": "L5.threads.short", "detach_needed": "L5.threads.short",
    "env_calls_late": "L5.env.ends", "exit_crashes": "L5.exit.open",
}

# Level 4, of a driver whose server is elsewhere.
NETWORK_OFFENCES = {
    "lost_not_sent": ("L4.net.cut", {"L4.net.commit": "a commit is told in the same way"}),
    "lost_commit_gone": "L4.net.commit", "lost_rows_end": "L4.net.rows",
    "lost_ping": "L4.net.idle", "lost_tx_open": "L4.net.tx",
    "lost_running": ("L4.net.running", {"L4.net.killed": "its query runs as well"}),
    "lost_server_ended": "L4.net.killed", "protocol_crashes": "L4.net.corrupt",
    "slow_rows": "L4.net.slow", "silent_ping": "L4.silence.deadline",
    "silent_open": "L4.silence.open", "silent_abort": "L4.silence.abort",
    "silent_cancel": "L4.silence.cancel",
    "silent_close": ("L4.silence.close",
                     {"L4.silence.deadline": "it closes what its calls leave behind"}),
}


def entry_of(offence: str):
    return OFFENCES.get(offence) or NETWORK_OFFENCES[offence]


def rule_of(offence: str) -> str:
    entry = entry_of(offence)
    return entry if isinstance(entry, str) else entry[0]


def allowed_beside(offence: str) -> set:
    entry = entry_of(offence)
    return set() if isinstance(entry, str) else set(entry[1])
