"""wrapt's proxy of any object. It can be subscripted from wrapt 2.2 on only."""

from typing import TYPE_CHECKING, Any

import wrapt

if TYPE_CHECKING:
    ObjectProxy = wrapt.ObjectProxy[Any]
else:
    ObjectProxy = wrapt.ObjectProxy
