//! What a request that changes something has: who asks, and what they ask for.

use crate::web::app::App;
use crate::web::caller::{Caller, proves_form};
use crate::web::problem::Problem;
use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::Operation;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Who asks for a change, and for which: a JSON body.
pub(super) struct Change<T> {
    pub caller: Caller,
    pub body: T,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Change<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::of(&mut parts, app).await?;
        let token = parts.headers.get("x-rescind-form").and_then(|value| value.to_str().ok());
        proves_form(&caller, &parts.headers, token)?;
        let is_json = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !is_json.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/json")) {
            let detail = "expected a body with the content type application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
        }
        match Json::<T>::from_request(Request::from_parts(parts, body), app).await {
            Ok(Json(body)) => Ok(Self { caller, body }),
            Err(JsonRejection::BytesRejection(_)) => {
                let detail = "the body is too long";
                Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail))
            }
            Err(rejection) => Err(Problem::invalid(rejection.body_text())),
        }
    }
}

impl<T: JsonSchema> OperationInput for Change<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(context, operation);
    }
}
