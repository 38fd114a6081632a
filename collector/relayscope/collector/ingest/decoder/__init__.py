"""Requests are decoded in slices of time, so that none of them keeps the others waiting.

A small request is decoded by a thread of the receiver, a large one by a process beside it: a text
of 1 MiB is one step of up to half a second, in which Python's threads share an interpreter.
"""

from relayscope.collector.errors import DecodingEnded
from relayscope.collector.ingest.decoder.decoder import Decoder
from relayscope.collector.ingest.decoder.open_requests import Job
from relayscope.collector.ingest.decoder.process import DecodingProcess
from relayscope.collector.ingest.decoder.thread import DecodingThread

__all__ = ["Decoder", "DecodingEnded", "DecodingProcess", "DecodingThread", "Job"]
