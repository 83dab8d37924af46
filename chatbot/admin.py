"""Staff read conversations and their ledger; nothing here can be changed but sites."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from chatbot import sites, wiring
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
    list_display = ("name", "key", "knowledge_base", "signs_users")
    actions = ("make_user_secret",)

    @admin.display(boolean=True, description="signs its users")
    def signs_users(self, site: Site) -> bool:
        return bool(site.user_secret)

    @admin.action(permissions=["change"], description="Make a new user secret (shown once; the old one ends)")
    def make_user_secret(self, request: HttpRequest, queryset: QuerySet[Site]) -> HttpResponse:
        lines = ["User secrets: keep each on its site's server alone. They are not shown again.", ""]
        for site in queryset:
            with transaction.atomic():
                secret = sites.new_user_secret(site, master_key=wiring.master_key())
                self.log_change(request, site, "made a new user secret")
            lines.append(f"{site}: {secret}")
        return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@admin.register(Conversation)
class ConversationAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("id", "site", "language", "owner", "closed", "created", "updated")
    list_filter = ("site", "language", "owner")
    list_select_related = ("site",)
    inlines = (MessageInline,)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("message", "intent", "engine", "knowledge_version", "confidence", "created")
    list_filter = ("intent", "engine")
    list_select_related = ("message",)
