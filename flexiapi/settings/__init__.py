"""The settings model. `[account] email_unique` is `ACCOUNT_EMAIL_UNIQUE` in the environment."""

from pydantic import BaseModel, ConfigDict, Field

from flexiapi.settings.account import AccountSettings
from flexiapi.settings.delivery import BackendSettings, BackendTables, DeliverySettings, MailSettings
from flexiapi.settings.directories import DirectorySettings, DirectoryTables
from flexiapi.settings.flexisip import FlexisipSettings, RedisSettings
from flexiapi.settings.limits import LimitSettings
from flexiapi.settings.panel import PanelSettings
from flexiapi.settings.sections import (
    AppSettings,
    DataSettings,
    EventSettings,
    LogSettings,
    MetricsSettings,
    MongodbSettings,
    NocaptchaSettings,
    NoticeSettings,
    ServerSettings,
    TemplateSettings,
)
from flexiapi.settings.spaces import SpaceSettings
from flexiapi.settings.statistics import StatisticsSettings
from flexiapi.settings.turn import TurnSettings
from flexiapi.settings.ui import UiSettings
from flexiapi.settings.values import SipDomain
from flexiapi.settings.voicemail import VoicemailSettings

__all__ = [
    "AccountSettings",
    "AppSettings",
    "BackendSettings",
    "DataSettings",
    "DeliverySettings",
    "DirectorySettings",
    "EventSettings",
    "FlexisipSettings",
    "LimitSettings",
    "LogSettings",
    "MailSettings",
    "MetricsSettings",
    "MongodbSettings",
    "NocaptchaSettings",
    "NoticeSettings",
    "PanelSettings",
    "RedisSettings",
    "ServerSettings",
    "Settings",
    "SpaceSettings",
    "StatisticsSettings",
    "TemplateSettings",
    "TurnSettings",
    "UiSettings",
    "VoicemailSettings",
]


class Settings(BaseModel):
    """All settings, by section."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: ServerSettings = ServerSettings()
    app: AppSettings = AppSettings()
    account: AccountSettings = AccountSettings()
    panel: PanelSettings = PanelSettings()
    ui: UiSettings = UiSettings()
    spaces: dict[SipDomain, SpaceSettings] = Field(default_factory=dict)
    data: DataSettings = DataSettings()
    mongodb: MongodbSettings = MongodbSettings()
    limits: LimitSettings = LimitSettings()
    redis: RedisSettings = RedisSettings()
    flexisip: FlexisipSettings = FlexisipSettings()
    voicemail: VoicemailSettings = VoicemailSettings()
    turn: TurnSettings = TurnSettings()
    directories: DirectoryTables = Field(default_factory=dict)
    delivery: DeliverySettings = DeliverySettings()
    push: BackendTables = Field(default_factory=dict)
    sms: BackendTables = Field(default_factory=dict)
    mail: MailSettings = MailSettings()
    nocaptcha: NocaptchaSettings = NocaptchaSettings()
    templates: TemplateSettings = TemplateSettings()
    events: EventSettings = EventSettings()
    statistics: StatisticsSettings = StatisticsSettings()
    notices: NoticeSettings = NoticeSettings()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
