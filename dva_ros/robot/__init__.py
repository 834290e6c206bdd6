"""Robot descriptions: links, joints, arms, kinematics."""
