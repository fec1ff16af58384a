/* Arguments -> command -> exit status. The only exit path. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/sys.h"
#include "cli/cmd.h"

static int signal_pipe[2] = {-1, -1};
static volatile sig_atomic_t signals_seen, first_signal;

/* First signal: a byte for the event loop, which stops in order. Second: at once. */
static void on_signal(int sig)
{
	unsigned char b = (unsigned char)sig;

	if (signals_seen++)
		_exit(128 + sig);
	first_signal = sig;
	if (write(signal_pipe[1], &b, 1) < 0)
		_exit(128 + sig);
}

static void install_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};

	if (pipe(signal_pipe))
		return;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGXFSZ, &sa, NULL); /* a file size limit is an error of the write: 73, 74 */
}

static void leave(int status)
{
	_exit(status);
}

/* Wherever in the command it arrived: a signal outranks what it made fail. 0 and 2: all was done. */
static int ended_by(int status)
{
	return first_signal && status != 0 && status != 2 ? 128 + first_signal : status;
}

int main(int argc, char **argv)
{
	struct context c = {.signal_fd = -1, .leave = leave};
	int status;

	sys_guard_std_fds();
	secret_harden_process();
	install_signals();
	c.signal_fd = signal_pipe[0];
	arena_init(&c.a);
	ui_init(&c.ui, 1, 2);
	c.ui.ended_by = ended_by;
	status = cmd_main(&c, argc, argv);
	ui_release(&c.ui);
	arena_release(&c.a);
	secret_wipe_all();
	exit(ended_by(status));
}
