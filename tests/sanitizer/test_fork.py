"""A process may fork while its threads search for secrets."""

import subprocess
import sys
from typing import Final

_FORK: Final = """
import os, random, signal, string, sys, threading, time
from relayscope.sanitizer import Sanitizer

def search(seed, times=20):
    texts = random.Random(seed)
    for _ in range(times):
        if done.is_set():
            break
        sanitizer.text("".join(texts.choices(string.printable, k=400)))

def fork(seed):
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20)
        search(seed)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0

def search_and_fork(seed):
    search(seed)
    ended.append(fork(seed))

rounds, threads_that_fork, ended = int(sys.argv[1]), int(sys.argv[2]), []
for number in range(rounds):
    sanitizer = Sanitizer.default()  # Its automata are cold: each search adds to them.
    done = threading.Event()
    threads = [threading.Thread(target=search, args=(seed, sys.maxsize)) for seed in (1, 2)]
    forking = [
        threading.Thread(target=search_and_fork, args=(seed,)) for seed in range(threads_that_fork)
    ]
    for thread in (*threads, *forking):
        thread.start()
    for _ in range(4):
        time.sleep(0.002)
        ended.append(fork(number))
    for thread in forking:
        thread.join()
    done.set()
    for thread in threads:
        thread.join()
print(ended.count(True), ended.count(False))
"""


def test_forked_children_search_while_other_threads_of_the_parent_did() -> None:
    """No child inherits a lock of the automata that a thread of its parent held."""
    assert _children(rounds=10, threads_that_fork=0) == "40 0\n"


def test_threads_that_search_and_fork_at_the_same_time_all_go_on() -> None:
    """A fork waits for the searches of other threads, and neither for itself nor for ever."""
    assert _children(rounds=5, threads_that_fork=3) == "35 0\n"


def _children(*, rounds: int, threads_that_fork: int) -> str:
    """Return the numbers of forked children that could search, and that could not."""
    command = [sys.executable, "-c", _FORK, str(rounds), str(threads_that_fork)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return finished.stdout
