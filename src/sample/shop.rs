//! Events of a shop that could exist, as Standard Webhooks carry them.

use super::people::{GOODS, HOSTS, NAMES};
use super::{Chance, Document};
use crate::clock::Timestamp;

/// The types of its events.
pub const KINDS: [&str; 6] = [
    "order.created",
    "order.paid",
    "order.shipped",
    "order.refunded",
    "customer.created",
    "cart.abandoned",
];

/// The events of a shop, one after the other.
pub struct Shop {
    chance: Chance,
    order: i64,
    customer: i64,
}

impl Shop {
    /// The shop of this seed.
    pub fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        Self {
            order: chance.between(1000, 90_000),
            customer: chance.between(100, 9000),
            chance,
        }
    }

    /// The type and the `data` of the next event, at `at`: of the type `kind`, which need not be
    /// one of [`KINDS`], or of one that chance chooses. `unknown_fields` adds members that nobody
    /// has heard of.
    pub fn event(
        &mut self,
        kind: Option<&str>,
        unknown_fields: bool,
        at: Timestamp,
    ) -> (String, Document) {
        let chosen = *self.chance.one_of(&KINDS);
        let kind = kind.unwrap_or(chosen);
        let data = match kind.split_once('.').map(|(noun, _)| noun) {
            Some("customer") => self.customer(at),
            Some("cart") => self.cart(),
            _ => self.order(kind, at),
        };
        let data = match unknown_fields {
            true => data.with("x_experiment", Document::object([("arm", "B 🧪".into())])),
            false => data,
        };
        (kind.to_owned(), data)
    }

    fn order(&mut self, kind: &str, at: Timestamp) -> Document {
        self.order += 1;
        let (items, total) = self.items();
        let status = kind.rsplit('.').next().unwrap_or("created");
        let (name, host) = (self.chance.one_of(&NAMES), self.chance.one_of(&HOSTS));
        let order = Document::object([
            ("order_id", format!("ord_{}", self.order).into()),
            ("status", status.into()),
            ("customer_email", format!("{name}@{host}").into()),
            ("items", items),
            ("total_cents", total.into()),
            ("currency", "EUR".into()),
            ("occurred_at", at.to_string().into()),
        ]);
        match status {
            "shipped" => {
                let tracking = format!("JD{}", self.chance.between(10_000_000, 99_999_999));
                order.with("carrier", "DHL").with("tracking_code", tracking)
            }
            _ => order,
        }
    }

    fn customer(&mut self, at: Timestamp) -> Document {
        self.customer += 1;
        let (name, host) = (self.chance.one_of(&NAMES), self.chance.one_of(&HOSTS));
        Document::object([
            ("customer_id", format!("cus_{}", self.customer).into()),
            ("email", format!("{name}@{host}").into()),
            ("name", format!("{name} Müller-Øst").into()),
            ("accepts_marketing", self.chance.is_likely(40).into()),
            ("created_at", at.to_string().into()),
        ])
    }

    fn cart(&mut self) -> Document {
        let (items, total) = self.items();
        Document::object([
            ("cart_id", self.chance.uuid().into()),
            ("items", items),
            ("total_cents", total.into()),
            ("currency", "EUR".into()),
            ("recover_url", "https://shop.example.com/cart?r=1".into()),
        ])
    }

    fn items(&mut self) -> (Document, i64) {
        let (mut items, mut total) = (Vec::new(), 0);
        for _ in 0..self.chance.between(1, 3) {
            let (sku, name, cents) = *self.chance.one_of(&GOODS);
            let quantity = self.chance.between(1, 4);
            total += quantity * cents;
            items.push(Document::object([
                ("sku", sku.into()),
                ("name", name.into()),
                ("quantity", quantity.into()),
                ("unit_cents", cents.into()),
            ]));
        }
        (Document::Array(items), total)
    }
}
