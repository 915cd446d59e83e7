"""An alert channel that keeps what it is sent."""

from dataclasses import dataclass, field

from dagster_defs.alerting import Message, Severity
from dagster_defs.channels import ChannelRefused


@dataclass
class Recorder:
    """A channel that keeps what it is sent, and refuses everything while it is broken."""

    name: str
    severity: Severity = Severity.INFO
    broken: bool = False
    person: str | None = None
    sent: list[Message] = field(default_factory=list[Message])

    def send(self, message: Message) -> None:
        if self.broken:
            raise ChannelRefused("it answered 500")
        self.sent.append(message)

    @property
    def titles(self) -> list[str]:
        return [message.title for message in self.sent]
