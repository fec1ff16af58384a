/*
 * pty WAITFOR ANSWER COMMAND...: runs COMMAND on a terminal of its own, types ANSWER and Enter once WAITFOR appeared in what it wrote, and
 * copies that to standard output. An empty WAITFOR types nothing. Ends as the command ended; 125: no terminal to be had, 124: a minute passed.
 * Made for this because script(1) has to be told when to type in seconds, which a busy machine makes wrong.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void put(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			exit(126);
		p += w;
		n -= (size_t)w;
	}
}

int main(int argc, char **argv)
{
	static char seen[1 << 20];
	size_t len = 0;
	struct winsize size = {.ws_row = 40, .ws_col = 120};
	time_t end = time(NULL) + 60;
	int master, status, typed;
	pid_t pid;

	if (argc < 4)
		return 64;
	typed = argv[1][0] == 0;
	pid = forkpty(&master, NULL, NULL, &size);
	if (pid < 0) {
		perror("pty");
		return 125;
	}
	if (pid == 0) {
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	for (;;) {
		struct pollfd p = {.fd = master, .events = POLLIN};
		char buf[4096];
		ssize_t n;

		if (time(NULL) >= end) {
			kill(pid, SIGKILL);
			fprintf(stderr, "pty: a minute passed; %s\n",
			        typed ? "typed" : "never asked");
			return 124;
		}
		if (poll(&p, 1, 200) <= 0)
			continue;
		n = read(master, buf, sizeof buf);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* EIO: the other side is closed */
			break;
		put(1, buf, (size_t)n);
		if ((size_t)n < sizeof seen - len) {
			memcpy(seen + len, buf, (size_t)n);
			len += (size_t)n;
		}
		if (!typed && memmem(seen, len, argv[1], strlen(argv[1]))) {
			put(master, argv[2], strlen(argv[2]));
			put(master, "\n", 1);
			typed = 1;
		}
	}
	if (waitpid(pid, &status, 0) != pid)
		return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
