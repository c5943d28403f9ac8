//! Bulk operations.

use schemars::Schema;
use serde_json::{Value, json};

use super::operation::{Operation, Schemas};
use crate::api::request::page::Listed;
use crate::api::tasks::Task;
use crate::tasks;

const TASK: &str = "Its id.";
const TASK_EXAMPLE: &str = "tsk_01HF7YAT000000000004000007";

fn example() -> Value {
    json!({
        "id": "tsk_01HF7YAT000000000004000007", "kind": "replay", "state": "done", "matched": 5, "expired": 0,
        "done": 5, "total": 5, "progress": 1.0, "dry_run": false,
        "request": { "kind": "replay", "status": "dead", "dry_run": false },
        "created_at": "2023-11-14T22:13:20.000Z", "ended_at": "2023-11-14T22:13:20.000Z",
        "error": null,
    })
}

/// A member that is null is as good as absent.
fn request(schemas: &mut Schemas) -> Schema {
    let mut schema = schemas.asked::<tasks::Request>();
    schema.insert("additionalProperties".to_owned(), false.into());
    if let Some(limit) = schema.pointer_mut("/properties/limit") {
        limit["minimum"] = 1.into();
    }
    if let Some(kinds) = schema.pointer_mut("/properties/type") {
        kinds["minLength"] = 1.into();
    }
    if let Some(dry_run) = schema.pointer_mut("/properties/dry_run") {
        dry_run["type"] = json!(["boolean", "null"]);
    }
    schema
}

pub(super) fn operations(schemas: &mut Schemas) -> Vec<Operation> {
    let task = schemas.of::<Task>();
    let wanted = request(schemas);
    vec![
        Operation::get("/v1/tasks", "listTasks", "List tasks")
            .describe("Newest first. Of those that have ended the newest hundred are kept.")
            .some_of("state", "In one of these states.", &["running", "done", "cancelled", "failed"])
            .in_parts()
            .answers(200, "A part of the tasks.", schemas.of::<Listed<Task>>(), json!({ "data": [example()], "next": null }))
            .guarded(&[422]),
        Operation::post("/v1/tasks", "createTask", "Begin a bulk operation")
            .describe("`replay` puts deliveries that have ended back; `discard` gives up what has not arrived, and has to be told which by `status`. It is on disk before it is answered, goes on over restarts, and does nothing twice. Operational events (`endpoint.*`, `delivery.dead` of the source `redeliver`) that have arrived are left out of a replay, unless `type` names them. What is received later is no part of it. Sixteen may run at once.")
            .header("Idempotency-Key", "The same key gives the same task, as long as that is kept.", json!({ "type": "string", "minLength": 1, "maxLength": 255 }))
            .takes_json(wanted, json!({ "kind": "replay", "endpoint": "crm", "status": "dead" }))
            .answers(202, "It has begun.", task.clone(), example())
            .located(202, "Where the task is.")
            .leads_to(202, "/id", &[("getTask", "task"), ("cancelTask", "task")])
            .guarded(&[409, 507])
            .with_body(),
        Operation::get("/v1/tasks/{task}", "getTask", "Show how far a task has come")
            .path("task", TASK, TASK_EXAMPLE)
            .answers(200, "The task.", task.clone(), example())
            .guarded(&[404]),
        Operation::post("/v1/tasks/{task}/cancel", "cancelTask", "End a task")
            .describe("Answers when nothing more is done. What it has done stays done.")
            .path("task", TASK, TASK_EXAMPLE)
            .takes_nothing()
            .answers(200, "The task.", task, example())
            .guarded(&[404, 409, 507])
            .with_body(),
    ]
}
