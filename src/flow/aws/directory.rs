//! The calls to WorkMail's directory over the AWS SDK: one page each, tried once.

use aws_sdk_workmail::operation::describe_user::DescribeUserOutput;
use aws_sdk_workmail::types::{EntityState, EntityType, MemberType};

use super::SdkError;
use super::errors::{Call, port_error};
use crate::directory::{Attribute, Person};
use crate::envelope::Domain;
use crate::flow::directory::{Calls, Entity, GroupOf, Page, Sort};
use crate::flow::key::OrganizationId;
use crate::flow::ports::{PortError, Refusal};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// Entries of a page; WorkMail gives no more (WorkMail API Reference, `MaxResults`).
const PAGE: i32 = 100;

/// WorkMail's directory of one organization.
#[derive(Debug, Clone)]
pub struct WorkMailCalls {
    client: aws_sdk_workmail::Client,
    organization: OrganizationId,
}

impl WorkMailCalls {
    /// Over this client, for this organization.
    pub fn new(client: aws_sdk_workmail::Client, organization: OrganizationId) -> Self {
        Self { client, organization }
    }
}

impl Calls for WorkMailCalls {
    async fn domains(&self, page: Option<&str>) -> Result<Page<Domain>, PortError> {
        let request = self.client.list_mail_domains().organization_id(self.organization.as_str()).max_results(PAGE);
        let output = request.set_next_token(page.map(str::to_owned)).send().await;
        let output = output.map_err(|error| port_error(Call::ListMailDomains, &error))?;
        let names = output.mail_domains().iter().filter_map(|domain| domain.domain_name());
        let entries = names.filter_map(|name| Domain::new(name).ok()).collect();
        Ok(Page { entries, next: output.next_token })
    }

    async fn entity(&self, email: &str) -> Result<Option<Entity>, PortError> {
        let request = self.client.describe_entity().organization_id(self.organization.as_str()).email(email);
        let Some(output) = there(Call::DescribeEntity, request.send().await)? else { return Ok(None) };
        let sort = match output.r#type {
            Some(EntityType::Group) => Sort::Group,
            Some(EntityType::User) => Sort::User,
            _ => Sort::Resource,
        };
        Ok(output.entity_id.map(|id| Entity { id, sort }))
    }

    async fn person(&self, id: &str) -> Result<Option<Person>, PortError> {
        let request = self.client.describe_user().organization_id(self.organization.as_str()).user_id(id);
        Ok(there(Call::DescribeUser, request.send().await)?.map(|output| person(&output)))
    }

    async fn groups_of(&self, id: &str, page: Option<&str>) -> Result<Page<GroupOf>, PortError> {
        let request = self.client.list_groups_for_entity().organization_id(self.organization.as_str());
        let request = request.entity_id(id).max_results(PAGE).set_next_token(page.map(str::to_owned));
        let Some(output) = there(Call::ListGroupsForEntity, request.send().await)? else { return Ok(none()) };
        let groups = output.groups.unwrap_or_default().into_iter();
        let group = |id, name: Option<String>| GroupOf { id, name: name.unwrap_or_default() };
        let entries = groups.filter_map(|found| Some(group(found.group_id?, found.group_name))).collect();
        Ok(Page { entries, next: output.next_token })
    }

    async fn groups(&self, page: Option<&str>) -> Result<Page<GroupOf>, PortError> {
        let request = self.client.list_groups().organization_id(self.organization.as_str()).max_results(PAGE);
        let output = request.set_next_token(page.map(str::to_owned)).send().await;
        let output = output.map_err(|error| port_error(Call::ListGroups, &error))?;
        let groups = output.groups.unwrap_or_default().into_iter();
        let groups = groups.filter(|group| group.state.as_ref().is_none_or(|state| *state != EntityState::Deleted));
        let group = |id, name: Option<String>| GroupOf { id, name: name.unwrap_or_default() };
        let entries = groups.filter_map(|found| Some(group(found.id?, found.name))).collect();
        Ok(Page { entries, next: output.next_token })
    }

    async fn members(&self, id: &str, page: Option<&str>) -> Result<Page<Entity>, PortError> {
        let request = self.client.list_group_members().organization_id(self.organization.as_str());
        let request = request.group_id(id).max_results(PAGE).set_next_token(page.map(str::to_owned));
        let Some(output) = there(Call::ListGroupMembers, request.send().await)? else { return Ok(none()) };
        // Who is disabled gets no mail.
        let members = output.members.unwrap_or_default().into_iter();
        let members = members.filter(|member| member.state.as_ref().is_none_or(|state| *state == EntityState::Enabled));
        let entity = |found: aws_sdk_workmail::types::Member| {
            let sort = if found.r#type == Some(MemberType::Group) { Sort::Group } else { Sort::User };
            Some(Entity { id: found.id?, sort })
        };
        Ok(Page { entries: members.filter_map(entity).collect(), next: output.next_token })
    }
}

fn none<T>() -> Page<T> {
    Page { entries: Vec::new(), next: None }
}

/// What is not there is no error.
fn there<T, E: ProvideErrorMetadata>(
    call: Call,
    sent: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>, PortError> {
    match sent.map_err(|error| port_error(call, &error)) {
        Ok(output) => Ok(Some(output)),
        Err(PortError::Permanent { kind: Refusal::Gone, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn person(told: &DescribeUserOutput) -> Person {
    let mut person = Person::default();
    let hidden = told.hidden_from_global_address_list().to_string();
    let state = told.state().map(|state| state.as_str().to_ascii_lowercase());
    let role = told.user_role().map(|role| role.as_str().to_ascii_lowercase());
    for (attribute, value) in [
        (Attribute::Email, told.email()),
        (Attribute::Name, told.name()),
        (Attribute::DisplayName, told.display_name()),
        (Attribute::FirstName, told.first_name()),
        (Attribute::LastName, told.last_name()),
        (Attribute::Initials, told.initials()),
        (Attribute::JobTitle, told.job_title()),
        (Attribute::Department, told.department()),
        (Attribute::Company, told.company()),
        (Attribute::Office, told.office()),
        (Attribute::Telephone, told.telephone()),
        (Attribute::Street, told.street()),
        (Attribute::City, told.city()),
        (Attribute::ZipCode, told.zip_code()),
        (Attribute::Country, told.country()),
        (Attribute::State, state.as_deref()),
        (Attribute::Role, role.as_deref()),
        (Attribute::Hidden, Some(hidden.as_str())),
    ] {
        person.set(attribute, value.unwrap_or_default());
    }
    person
}
