"""Accounts and the audit log in Django's admin. Accounts are put out of use, never deleted: the log speaks of them."""

from typing import Any

from axes.models import AccessFailureLog, AccessLog
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django_otp import user_has_device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from chatbot.admin import ReadOnly
from console import accounts
from console.models import AuditEntry, StaffMember

# Roles take the place of groups. Devices would show their secrets. The audit log has what axes' logs would have.
for model in (User, Group, TOTPDevice, StaticDevice, AccessLog, AccessFailureLog):
    admin.site.unregister(model)


class StaffMemberForm(forms.ModelForm):
    """Roles and languages as boxes to tick."""

    roles = forms.MultipleChoiceField(
        choices=StaffMember.Role.choices, widget=forms.CheckboxSelectMultiple, required=False
    )
    languages = forms.MultipleChoiceField(
        choices=[("zh", "中文"), ("en", "English")], widget=forms.CheckboxSelectMultiple, required=False
    )

    class Meta:
        model = StaffMember
        fields = ("roles", "sites", "languages", "skills", "capacity")


class StaffMemberInline(admin.StackedInline):
    model = StaffMember
    form = StaffMemberForm
    can_delete = False
    filter_horizontal = ("sites",)


@admin.register(User)
class AccountAdmin(UserAdmin):
    """Who works here. What an account may do, its roles say: there is no other power to give."""

    list_display = ("username", "roles", "is_active", "second_factor", "last_login")
    list_filter = ("is_active",)
    list_select_related = ("staff_member",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (None, {"fields": ("first_name", "last_name", "email", "is_active", "last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    inlines = (StaffMemberInline,)
    actions = ("remove_second_factor", "unlock")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display
    def roles(self, user: User) -> str:
        member = getattr(user, "staff_member", None)
        return "superuser" if user.is_superuser else ", ".join(member.roles) if member else ""

    @admin.display(boolean=True)
    def second_factor(self, user: User) -> bool:
        return bool(user_has_device(user))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        accounts.witness_account(form.instance, actor=request.user)

    @admin.action(description="Remove the second factor of somebody who has lost it")
    def remove_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            accounts.remove_second_factor(user, actor=request.user)

    @admin.action(description="Unlock after too many wrong passwords")
    def unlock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            accounts.unlock(user, actor=request.user)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "actor_name", "action", "object_type", "object_id", "address")
    list_filter = ("action", "object_type")
    search_fields = ("actor_name", "object_id")
    date_hierarchy = "at"
