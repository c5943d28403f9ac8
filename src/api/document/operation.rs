//! One route with one method, as it is described.

use std::collections::BTreeMap;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::status;

/// Collects the schemas of what is answered; each has its own place in the document.
pub(super) struct Schemas {
    answered: SchemaGenerator,
    /// What is asked for is described where it is taken: the same type may be read by other rules
    /// than it is written by.
    asked: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        let inline = |settings: &mut SchemaSettings| settings.inline_subschemas = true;
        Self {
            answered: settings().for_serialize().into_generator(),
            asked: settings().with(inline).for_deserialize().into_generator(),
        }
    }

    /// The schema of an answer.
    pub(super) fn of<T: JsonSchema>(&mut self) -> Value {
        self.answered.subschema_for::<T>().to_value()
    }

    /// The schema of what is asked.
    pub(super) fn asked<T: JsonSchema>(&mut self) -> Schema {
        self.asked.root_schema_for::<T>()
    }

    /// Every schema that another one refers to.
    pub(super) fn into_components(mut self) -> Map<String, Value> {
        self.answered.take_definitions(true)
    }
}

/// What a request may meet before it comes to a route: its head is not understood.
const BEFORE_ANY_ROUTE: [u16; 4] = [400, 414, 431, 501];

fn reference(status: u16) -> Value {
    json!({ "$ref": format!("#/components/responses/{}", status::name(status)) })
}

/// A route with a method.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    object: Map<String, Value>,
    parameters: Vec<Value>,
    responses: BTreeMap<u16, Value>,
}

impl Operation {
    /// An operation. `id` is what generated clients call it.
    pub(super) fn new(method: &'static str, path: &'static str, id: &str, summary: &str) -> Self {
        let mut object = Map::new();
        object.insert("operationId".to_owned(), id.into());
        object.insert("summary".to_owned(), summary.into());
        Self {
            method,
            path,
            object,
            parameters: Vec::new(),
            responses: BTreeMap::new(),
        }
    }

    pub(super) fn get(path: &'static str, id: &str, summary: &str) -> Self {
        Self::new("get", path, id, summary)
    }

    pub(super) fn post(path: &'static str, id: &str, summary: &str) -> Self {
        Self::new("post", path, id, summary)
    }

    /// More than the summary says.
    pub(super) fn describe(self, text: &str) -> Self {
        self.with("description", text.into())
    }

    /// How one may show who one is; an empty name stands for not at all.
    pub(super) fn secured_by(self, schemes: &[&str]) -> Self {
        let each = schemes.iter().map(|scheme| match *scheme {
            "" => json!({}),
            scheme => json!({ scheme: [] }),
        });
        let each = each.collect();
        self.with("security", each)
    }

    /// A part of the path.
    pub(super) fn path(self, name: &str, description: &str, example: &str) -> Self {
        self.parameter(json!({
            "name": name, "in": "path", "required": true, "description": description,
            "schema": { "type": "string", "minLength": 1 }, "example": example,
        }))
    }

    /// A query parameter.
    pub(super) fn query(self, name: &str, description: &str, schema: Value) -> Self {
        self.parameter(json!({
            "name": name, "in": "query", "description": description, "schema": schema,
        }))
    }

    /// Of its query parameters an empty one is as good as none, as the vendor has it.
    pub(super) fn forgives_empty(mut self) -> Self {
        let queries = self.parameters.iter_mut().filter(|it| it["in"] == "query");
        let optional = queries.filter(|it| it["required"] != true);
        optional.for_each(|it| it["allowEmptyValue"] = true.into());
        self
    }

    /// One that must be there.
    pub(super) fn needs_query(self, name: &str, description: &str, schema: Value) -> Self {
        self.parameter(json!({
            "name": name, "in": "query", "required": true, "description": description,
            "schema": schema,
        }))
    }

    /// A query parameter that takes some of a few words, with commas between them.
    pub(super) fn some_of(self, name: &str, description: &str, words: &[&str]) -> Self {
        self.parameter(json!({
            "name": name, "in": "query", "description": description, "style": "form", "explode": false,
            "schema": { "type": "array", "items": { "type": "string", "enum": words } },
        }))
    }

    /// The parameters of every list.
    pub(super) fn in_parts(self) -> Self {
        self.query(
            "limit",
            "How many at most.",
            json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 50 }),
        )
        .query(
            "cursor",
            "The `next` of an earlier answer of this list: goes on behind it, with the same filters and order.",
            json!({ "type": "string" }),
        )
    }

    /// A request header.
    pub(super) fn header(self, name: &str, description: &str, schema: Value) -> Self {
        self.parameter(json!({
            "name": name, "in": "header", "description": description, "schema": schema,
        }))
    }

    fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// What its body may be: media types, each with its schema and an example.
    pub(super) fn takes(self, required: bool, content: Value) -> Self {
        self.with(
            "requestBody",
            json!({ "required": required, "content": content }),
        )
    }

    /// A JSON body.
    pub(super) fn takes_json(self, schema: impl Into<Value>, example: Value) -> Self {
        let schema: Value = schema.into();
        self.takes(
            true,
            json!({ "application/json": { "schema": schema, "example": example } }),
        )
    }

    /// An action that takes no members: nothing, or an empty object.
    pub(super) fn takes_nothing(self) -> Self {
        let schema = json!({ "type": "object", "maxProperties": 0 });
        self.takes(
            false,
            json!({ "application/json": { "schema": schema, "example": {} } }),
        )
    }

    /// A JSON answer.
    pub(super) fn answers(
        self,
        status: u16,
        description: &str,
        schema: Value,
        example: Value,
    ) -> Self {
        let content = json!({ "application/json": { "schema": schema, "example": example } });
        self.answers_with(
            status,
            json!({ "description": description, "content": content }),
        )
    }

    /// An answer with a `Location`.
    pub(super) fn located(mut self, status: u16, description: &str) -> Self {
        if let Some(response) = self.responses.get_mut(&status) {
            response["headers"]["Location"] = json!({
                "description": description, "schema": { "type": "string" },
            });
        }
        self
    }

    /// Where what an answer names can be looked at: operations, and the parameter that takes what
    /// stands at `pointer` in the answer.
    pub(super) fn leads_to(
        mut self,
        status: u16,
        pointer: &str,
        operations: &[(&str, &str)],
    ) -> Self {
        for (id, parameter) in operations {
            if let Some(response) = self.responses.get_mut(&status) {
                response["links"][*id] = json!({
                    "operationId": id,
                    "parameters": { *parameter: format!("$response.body#{pointer}") },
                });
            }
        }
        self
    }

    /// Any answer.
    pub(super) fn answers_with(mut self, status: u16, response: Value) -> Self {
        self.responses.insert(status, response);
        self
    }

    /// Errors, each `application/problem+json`.
    pub(super) fn problems(mut self, statuses: &[u16]) -> Self {
        for status in statuses {
            self.responses.insert(*status, reference(*status));
        }
        self
    }

    /// What every request under `/v1` may meet; `more` is its own.
    pub(super) fn guarded(self, more: &[u16]) -> Self {
        // 422: a parameter that is not known, at least.
        self.problems(&[401, 403, 422, 500, 503])
            .problems(more)
            .secured_by(&["adminToken", ""])
    }

    /// What every request with a body may meet beside that.
    pub(super) fn with_body(self) -> Self {
        self.problems(&[408, 413, 415, 422])
    }

    fn with(mut self, key: &str, value: Value) -> Self {
        self.object.insert(key.to_owned(), value);
        self
    }

    /// As it stands in the document.
    pub(super) fn into_value(self, tag: &str) -> Value {
        let mut object = self.with("tags", json!([tag]));
        if !object.parameters.is_empty() {
            let parameters = std::mem::take(&mut object.parameters);
            object
                .object
                .insert("parameters".to_owned(), parameters.into());
        }
        for status in BEFORE_ANY_ROUTE {
            let response = reference(status);
            object.responses.entry(status).or_insert(response);
        }
        let responses = std::mem::take(&mut object.responses).into_iter();
        let responses: Map<_, _> = responses
            .map(|(status, is)| (status.to_string(), is))
            .collect();
        object
            .object
            .insert("responses".to_owned(), responses.into());
        object.object.into()
    }
}
