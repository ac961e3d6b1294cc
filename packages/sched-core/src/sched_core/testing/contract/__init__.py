"""The behaviours that every scheduler must show, as tests to run against your own.

    from sched_core.testing.contract import SchedulerContract

    class TestMine(SchedulerContract):
        scheduler_class = MyScheduler

What is needed: pytest, anyio's pytest plugin and trio (`pip install sched-core[testing]`). Attributes
of `SchedulerContract` say what the scheduler under test cannot do, and how long it may take.
"""

from __future__ import annotations

from ..extra import require

require("pytest")
import pytest  # noqa: E402  # only now is it clear that it is there

# The assertions of these modules are shown in full, as those of the user's own tests are.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in (
            "rig outcomes environment limits killing retries feeding hooks engine closing resuming misuse usage "
            "previewing escalation secrets"
        ).split()
    )
)

from .closing import ClosingContract  # noqa: E402  # only now are its assertions rewritten
from .engine import EngineContract  # noqa: E402
from .environment import EnvironmentContract  # noqa: E402
from .escalation import EscalationContract  # noqa: E402
from .feeding import FeedingContract  # noqa: E402
from .hooks import HooksContract  # noqa: E402
from .killing import KillingContract  # noqa: E402
from .limits import LimitsContract  # noqa: E402
from .misuse import MisuseContract  # noqa: E402
from .outcomes import OutcomesContract  # noqa: E402
from .previewing import PreviewContract  # noqa: E402
from .resuming import ResumingContract  # noqa: E402
from .retries import RetriesContract  # noqa: E402
from .rig import HookRecorder, Rig  # noqa: E402
from .secrets import SecretsContract  # noqa: E402
from .usage import UsageContract  # noqa: E402

__all__ = ["HookRecorder", "Rig", "SchedulerContract"]


class SchedulerContract(
    OutcomesContract,
    EnvironmentContract,
    LimitsContract,
    KillingContract,
    RetriesContract,
    FeedingContract,
    HooksContract,
    EngineContract,
    ClosingContract,
    ResumingContract,
    MisuseContract,
    PreviewContract,
    UsageContract,
    EscalationContract,
    SecretsContract,
):
    """All behaviours: subclass it in your tests and set `scheduler_class`."""
