"""Staff read conversations and their ledger; nothing here can be changed but sites."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from chatbot.models import Conversation, LedgerEntry, Message, Site


class ReadOnly:
    """What customers and the bot have said is a record: staff read it."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MessageInline(ReadOnly, admin.TabularInline):
    model = Message
    fields = ("created", "role", "text", "outcome", "reason", "sequence")
    readonly_fields = fields
    ordering = ("created",)
    extra = 0


@admin.register(Site)
class SiteAdmin(admin.ModelAdmin):
    list_display = ("name", "key", "knowledge_base")


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "site", "language", "owner", "handoff_reason", "created", "updated")
    list_filter = ("site", "language", "owner", "handoff_reason")
    list_select_related = ("site",)
    inlines = (MessageInline,)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("message", "intent", "engine", "knowledge_version", "confidence", "created")
    list_filter = ("intent", "engine")
    list_select_related = ("message",)
